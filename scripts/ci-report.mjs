// `node scripts/ci-report.mjs REPORT`: prints `PASSED FAILED` from a JSON report of vitest and, on stderr, the slowest
// files.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const SHOWN = 10;
const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const seconds = ({ startTime, endTime }) => (endTime - startTime) / 1000;
const slowest = testResults.toSorted((a, b) => seconds(b) - seconds(a)).slice(0, SHOWN);
process.stderr.write(`The slowest of ${testResults.length} test files, in seconds:\n`);
for (const file of slowest)
  process.stderr.write(`${seconds(file).toFixed(1).padStart(7)}  ${relative('.', file.name)}\n`);

// a file that failed before its tests were known counts as one
const unread = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
);
process.stdout.write(`${numPassedTests} ${numFailedTests + unread.length}\n`);
