/** The tarballs of `npm run pack`, made once for the tests that install them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const packages = resolve('build/packages');
export const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
/** The platform whose package runs here; the packed addons are those of Linux. */
export const platform = `linux-${process.arch}-gnu`;
export const tarballs = {
  library: join(packages, `seqlik-${version}.tgz`),
  platform: join(packages, `seqlik-${platform}-${version}.tgz`),
};
/** The environment of a user, who knows nothing of this process. */
export const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(SEQLIK_|NODE_OPTIONS$|npm_|VITEST|CI$|NODE_ENV$)/.test(name)),
);

const newest = (path: string): number => {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
};
/** Packs, unless the tarballs are newer than all they are made of. */
export function pack(): void {
  const sources = ['src', 'native', 'assembly', 'scripts', 'docs', 'CMakeLists.txt', 'package.json', 'README.md'];
  const made = Object.values(tarballs).map((path) => (existsSync(path) ? statSync(path).mtimeMs : 0));
  if (Math.min(...made) > Math.max(...sources.map(newest))) return;
  execFileSync('npm', ['run', '--silent', 'pack'], { stdio: 'pipe', env });
}
