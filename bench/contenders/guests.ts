/** Libraries that are not installed with seqlik: each takes part if it is there (README.md). */
import type { Contender, Guest } from './contender.ts';
import { kalmanFilter } from './kalman-filter.ts';
import { mlMatrix } from './ml-matrix.ts';
import { numpy } from './numpy.ts';
import { statsmodels } from './statsmodels.ts';
import { tfjs } from './tfjs.ts';

const guests: readonly Guest[] = [kalmanFilter, mlMatrix, numpy, statsmodels, tfjs];

/** Opens those that take one of the workloads; `missing` are the absent ones, each with the reason. */
export async function openGuests(workloads: ReadonlySet<string>): Promise<{
  readonly contenders: readonly Contender[];
  readonly missing: readonly string[];
}> {
  const [contenders, missing]: [Contender[], string[]] = [[], []];
  for (const { name, workloads: taken, open } of guests) {
    if (!taken.some((workload) => workloads.has(workload))) continue;
    try {
      contenders.push(await open());
    } catch (error) {
      missing.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { contenders, missing };
}
