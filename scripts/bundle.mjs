// Bundles src/ for the package: one file per entrance and the chunks they share, with declarations and source maps.
// The checkout runs the separate files of dist/; one import of a hundred files takes five times as long as one of five.
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

/** The entrances: what package.json exports, and the command. */
const doors = { index: 'src/index.ts', 'server/index': 'src/server/index.ts' };
const programs = { 'cli/main': 'src/cli/main.ts' };
/** Packages stay imports, and so does #wasm, which each runtime resolves in its own way. */
const external = [/^node:/, '#wasm', /^[a-z@][^:]*$/];

/** Writes the bundle into `folder`, laid out as dist/ is. Chunks lie one folder deep, as the files of dist/ do. */
export async function bundle(folder) {
  const code = await rolldown({ input: { ...doors, ...programs }, external, platform: 'neutral' });
  await code.write({
    dir: folder,
    format: 'esm',
    sourcemap: true,
    chunkFileNames: 'chunks/[name].js',
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
  });
  await code.close();
  const types = await rolldown({
    input: doors,
    external,
    plugins: [dts({ emitDtsOnly: true, tsconfig: 'src/tsconfig.json' })],
  });
  await types.write({ dir: folder, format: 'esm', chunkFileNames: 'chunks/[name].js' });
  await types.close();
}
