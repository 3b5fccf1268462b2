// Bundles src/ for the package: one file per entrance and the chunks they share, with declarations and source maps.
// The checkout runs the separate files of dist/; one import of a hundred files takes five times as long as one of ten.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

/** The entrances: what package.json exports, and the command. */
const doors = { index: 'src/index.ts', external: 'src/external.ts', 'server/index': 'src/server/index.ts' };
const programs = { 'cli/main': 'src/cli/main.ts' };
/** Packages stay imports, and so does #wasm, which each runtime resolves in its own way. */
const external = [/^node:/, '#wasm', /^[a-z@][^:]*$/];

/**
 * The chunks of index.js: a bundler leaves out whole those that a program does not reach (package.json, sideEffects).
 * Each takes what the ones above it have not taken.
 */
const groups = [
  {
    name: 'ground',
    test: /src\/(?:(?:backends|bind|check|contract|file)\b|(?:errors|grammar|levels|memory|random)\.ts)/,
  },
  {
    name: 'mixture',
    test: /src\/(?:training\/pace|models\/(?:components\/|(?:gaussian|mixture|model|statistics|triangles|work)\.ts))/,
  },
  { name: 'system', test: /src\/models\/(?:lds\b|system-statistics)/ },
  {
    name: 'network',
    test: /src\/(?:training|models\/(?:classifier|dense|density|recurrent|regime|standardization|weights|workspace)\b)/,
  },
  { name: 'signals', test: /src\/(?:models\/|external\.ts)/ },
  // it runs at its import, which package.json says of this chunk
  { name: 'shipped', test: /src\/index\.ts/ },
];

/** Writes the bundle into `folder`, laid out as dist/ is. Chunks lie one folder deep, as the files of dist/ do. */
export async function bundle(folder) {
  const code = await rolldown({
    input: { ...doors, ...programs },
    external,
    platform: 'neutral',
  });
  const { output } = await code.write({
    dir: folder,
    format: 'esm',
    // the sources are in the repository; with their text, the maps would be half of the package
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { jsdoc: false },
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: { groups },
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  });
  await code.close();
  // maps are for those who debug a program of theirs: the command and the server go without, a twelfth of the package
  const mapped = [...groups.map(({ name }) => `chunks/${name}.js`), 'index.js', 'external.js'];
  for (const { type, fileName } of output)
    if (type === 'chunk' && !mapped.includes(fileName)) {
      rmSync(join(folder, `${fileName}.map`), { force: true });
      const text = readFileSync(join(folder, fileName), 'utf8');
      writeFileSync(join(folder, fileName), text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
    }
  const types = await rolldown({
    input: doors,
    external,
    plugins: [dts({ emitDtsOnly: true, tsconfig: 'src/tsconfig.json' })],
  });
  await types.write({
    dir: folder,
    format: 'esm',
    chunkFileNames: 'chunks/[name].js',
    // beside the code of their door: the plugin forgets the folder
    entryFileNames: ({ name, facadeModuleId }) =>
      name.endsWith('.d') ? relative('src', facadeModuleId).replaceAll('\\', '/') : `${name}.js`,
  });
  await types.close();
}
