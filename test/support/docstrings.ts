/** The `@example`s of a public door, read off the docstrings of what it exports, and how one is run. */
import { inspect } from 'node:util';
import ts from 'typescript';

export interface Example {
  /** The export or member it belongs to: 'Gaussian', 'Gaussian#sample', 'Gaussian.fit', 'klDivergence'. */
  readonly name: string;
  /** Plain JavaScript, in whose scope all exports are. The last line may end in `// value`. */
  readonly lines: readonly string[];
}
export interface Docstrings {
  readonly examples: readonly Example[];
  /** Classes, functions and methods without an example. Getters, constructors and `dispose` need none, nor do
   * overrides without a docstring of their own. */
  readonly missing: readonly string[];
}

export function docstringsOf(root: string): Docstrings {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [root], include: [] }, ts.sys, '.');
  const program = ts.createProgram([root], options);
  const checker = program.getTypeChecker();
  const examples = new Map<ts.Node, Example>(); // by tag: classes that inherit a method share its example
  const missing = new Set<string>();

  function read(name: string, symbol: ts.Symbol, needed: boolean): void {
    const tags = (symbol.declarations ?? []).flatMap((node) => ts.getJSDocTags(node));
    if (tags.some(({ tagName }) => tagName.text === 'internal')) return;
    const own = tags.filter(({ tagName }) => tagName.text === 'example');
    for (const tag of own) if (!examples.has(tag)) examples.set(tag, { name, lines: linesOf(tag) });
    if (needed && own.length === 0) missing.add(name);
  }
  /** An override without a docstring has that of the method it overrides. */
  function inheritsDocstring({ name, declarations: [declaration] = [] }: ts.Symbol): boolean {
    if (!declaration || ts.getJSDocCommentsAndTags(declaration).length > 0) return false;
    const owner = declaration.parent;
    const bases = ts.isClassDeclaration(owner) ? (owner.heritageClauses ?? []).flatMap(({ types }) => types) : [];
    return bases.some((base) => checker.getTypeAtLocation(base).getProperty(name) !== undefined);
  }
  function readMembers(prefix: string, members: readonly ts.Symbol[]): void {
    for (const member of members) {
      const declaration = member.declarations?.[0];
      if (!declaration || !isOurs(declaration) || !isPublic(declaration)) continue;
      const exempt = member.name === 'dispose' || member.name.startsWith('__@') || inheritsDocstring(member);
      read(prefix + member.name, member, Boolean(member.flags & ts.SymbolFlags.Method) && !exempt);
    }
  }

  const door = checker.getSymbolAtLocation(program.getSourceFile(root)!)!;
  for (const exported of checker.getExportsOfModule(door)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const isClass = Boolean(symbol.flags & ts.SymbolFlags.Class);
    if (isTypeOnly(exported) || !(isClass || symbol.flags & ts.SymbolFlags.Function)) continue;
    const { name } = exported;
    read(name, symbol, true);
    if (!isClass) continue;
    const create = symbol.members?.get(ts.InternalSymbolName.Constructor);
    if (create) read(`new ${name}`, create, false);
    readMembers(`${name}.`, checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol)));
    readMembers(`${name}#`, checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)));
  }
  return { examples: [...examples.values()], missing: [...missing] };
}
const isOurs = (node: ts.Node): boolean => !node.getSourceFile().isDeclarationFile;
const isPublic = (node: ts.Declaration): boolean =>
  !(ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) &&
  !(ts.isMethodDeclaration(node) && ts.isPrivateIdentifier(node.name));
/** Exported by `export type`: nobody can call it. */
const isTypeOnly = ({ declarations = [] }: ts.Symbol): boolean =>
  declarations.some((node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly));
/** The text after the tag as it stands, without the stars of the comment. */
const linesOf = (tag: ts.JSDocTag): string[] =>
  tag
    .getSourceFile()
    .text.slice(tag.tagName.end, tag.end)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?|^ /, '').trimEnd())
    .filter((line) => line !== '');

/** Runs an example with these exports in scope; throws if its last line gives another value than it says. */
export async function run({ lines }: Pick<Example, 'lines'>, exports: object): Promise<void> {
  const last = lines.at(-1) ?? '';
  const [, expression, value] = /^(.*\S)\s+\/\/ (.+)$/.exec(last) ?? [];
  const end = expression === undefined ? last : `return (${expression.replace(/;$/, '')});`;
  const program = AsyncFunction(...Object.keys(exports), ["'use strict';", ...lines.slice(0, -1), end].join('\n'));
  const got = inspect(await program(...Object.values(exports)), { breakLength: Number.POSITIVE_INFINITY });
  if (value !== undefined && !matches(got, value)) throw new Error(`${expression}\ngives ${got}\nnot   ${value}`);
}
const AsyncFunction = (async () => {}).constructor as (...text: string[]) => (...values: unknown[]) => Promise<unknown>;

/** Whether text is as expected; `...` after a digit stands for more digits. */
export function matches(got: string, expected: string): boolean {
  const pattern = expected
    .split(/(?<=\d)\.\.\./)
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('\\d*(?:e[+-]\\d+)?');
  return new RegExp(`^${pattern}$`).test(got);
}
