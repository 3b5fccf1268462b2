/**
 * Every argument, option and field of what src/index.ts exports, read off its types: 'klDivergence(p.mean)',
 * 'new Gaussian(options.backend)', 'GaussianMixture#logDensity(x)', 'GaussianMixture.fit(options.init.means)'; and the
 * names of what returns a promise.
 */
import ts from 'typescript';

/** Objects that are handed around whole. */
const opaque = ['Backend'];

export function surfaceOf(root: string): { places: string[]; promises: string[] } {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [root], include: [] }, ts.sys, '.');
  const program = ts.createProgram([root], options);
  const checker = program.getTypeChecker();
  const ours = (symbol: ts.Symbol): boolean =>
    (symbol.declarations ?? []).some(
      (node) => /\/src\/[^:]*$/.test(node.getSourceFile().fileName) && !node.getSourceFile().isDeclarationFile,
    );
  const isPublic = (symbol: ts.Symbol): boolean =>
    ours(symbol) &&
    !symbol.getJsDocTags().some(({ name }) => name === 'internal') &&
    !(symbol.declarations ?? []).some(
      (node) =>
        ts.getCombinedModifierFlags(node as ts.Declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected),
    ) &&
    !symbol.name.startsWith('__#');

  const isTyped = (type?: ts.Type): boolean => /^Float(64|32)Array$/.test(type?.symbol?.name ?? '');
  /** The path itself, and those of the fields behind it. */
  function paths(given: ts.Type, path: string): string[] {
    const type = checker.getNonNullableType(checker.getBaseConstraintOfType(given) ?? given);
    const parts = type.isUnion() ? type.types : [type];
    const fields = parts
      .filter((part) => part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))
      .filter((part) => !part.isClass() && !opaque.includes(part.symbol?.name) && part.getCallSignatures().length === 0)
      .flatMap((part) => checker.getPropertiesOfType(part))
      .filter(ours);
    // numbers may be flat or in rows: rows have no place of their own
    const isNoRow = (entry: ts.Type): boolean =>
      !parts.some(isTyped) || !(entry.isUnion() && entry.types.every(isTyped));
    return [
      path,
      ...fields.flatMap((field) => paths(checker.getTypeOfSymbol(field), `${path}.${field.name}`)),
      ...parts
        .flatMap(entriesOf)
        .filter(isNoRow)
        .flatMap((entry) => paths(entry, `${path}[]`)),
    ];
  }
  /** The elements of an array or of a record of typed arrays. */
  function entriesOf(type: ts.Type): ts.Type[] {
    const entry = type.getStringIndexType() ?? (checker.isArrayType(type) ? type.getNumberIndexType() : undefined);
    const kinds = entry?.isUnion() ? entry.types : [entry];
    return entry && kinds.some(isTyped) ? [entry] : [];
  }
  const promises = new Set<string>();
  function places(name: string, signatures: readonly ts.Signature[]): string[] {
    if (signatures.some((signature) => signature.getReturnType().symbol?.name === 'Promise')) promises.add(name);
    return signatures.flatMap((signature) =>
      signature.parameters.flatMap((parameter) =>
        paths(checker.getTypeOfSymbol(parameter), parameter.name).map((path) => `${name}(${path})`),
      ),
    );
  }
  const methods = (prefix: string, type: ts.Type): string[] =>
    checker
      .getPropertiesOfType(type)
      .filter(isPublic)
      .flatMap((member) => places(prefix + member.name, checker.getTypeOfSymbol(member).getCallSignatures()));

  const module = checker.getSymbolAtLocation(program.getSourceFile(root)!)!;
  const found = checker.getExportsOfModule(module).flatMap((alias) => {
    const symbol = alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias;
    if (!(symbol.flags & ts.SymbolFlags.Value)) return [];
    const type = checker.getTypeOfSymbol(symbol);
    const { name } = alias;
    if (!(symbol.flags & ts.SymbolFlags.Class)) return places(name, type.getCallSignatures());
    return [
      ...places(`new ${name}`, type.getConstructSignatures()),
      ...methods(`${name}.`, type),
      ...methods(`${name}#`, checker.getDeclaredTypeOfSymbol(symbol)),
    ];
  });
  return { places: [...new Set(found)], promises: [...promises] };
}
