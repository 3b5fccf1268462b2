/** The groups of test files that vitest.config.ts runs in their own ways; test/groups.test.ts keeps them true. */

/**
 * They open every backend by its name, so that SEQLIK_BACKEND changes nothing: none imports src/backends/default.ts,
 * the one place that reads it, or starts a process of Node. `.ci/run` runs them once.
 */
export const byName = [
  'test/arm64.test.ts',
  'test/bits.test.ts',
  'test/cli/reading.test.ts',
  'test/conformance.test.ts',
  'test/seam.test.ts',
  'test/tensors.test.ts',
];

/** They run one after another when the others have ended, each for a reason. */
export const alone: Readonly<Record<string, string>> = {
  'test/cli/memory.test.ts': 'measures memory',
  'test/cli/signals.test.ts': 'measures time',
  'test/exit.test.ts': 'measures time, counts threads',
  'test/hostile/abort.test.ts': 'measures time',
  'test/leaks.test.ts': 'measures memory',
  'test/runtimes.test.ts': 'installs what test/package.test.ts packs',
  'test/server/swap.test.ts': 'measures memory',
  'test/symbols.test.ts': 'builds what test/arm64.test.ts builds',
};
