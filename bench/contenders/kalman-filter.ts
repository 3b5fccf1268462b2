/** The npm package kalman-filter, which filters. */
import type { Guest } from './contender.ts';
import { installed } from './installed.ts';

interface State {
  readonly mean: readonly (readonly [number])[];
}
interface Filter {
  getInitState(): State;
  correct(options: { predicted: State; observation: readonly number[] }): State;
  filter(options: { previousCorrected: State; observation: readonly number[] }): State;
}
interface Package {
  readonly KalmanFilter: new (model: object) => Filter;
}

export const kalmanFilter: Guest = {
  name: 'kalman-filter',
  workloads: ['P3'],
  async open() {
    const { KalmanFilter } = (await installed('kalman-filter')) as Package;
    return {
      ...({ contender: 'kalman-filter', backend: 'js', isa: 'js', threads: 1 } as const),
      readyDynamics({ pass, latent: m, steps, points }, { parameters, x }, out) {
        if (pass !== 'filter') return undefined;
        const rows = (values: Float64Array): number[][] =>
          Array.from({ length: values.length / m }, (_, i) => [...values.subarray(i * m, (i + 1) * m)]);
        const { A, B, Q, R, V0 } = parameters;
        const init = { mean: Array.from({ length: m }, () => [0]), covariance: rows(V0) };
        const filter = new KalmanFilter({
          observation: { dimension: m, stateProjection: rows(B), covariance: rows(R) },
          dynamic: { dimension: m, transition: rows(A), covariance: rows(Q), init },
        });
        const observations = rows(x);
        const run = () => {
          let state = filter.getInitState();
          for (let t = 0; t < points; t++) {
            const observation = observations[t]!;
            state =
              t % steps === 0
                ? filter.correct({ predicted: filter.getInitState(), observation })
                : filter.filter({ previousCorrected: state, observation });
            for (let i = 0; i < m; i++) out[t * m + i] = state.mean[i]![0];
          }
        };
        return { run, dispose() {} };
      },
    };
  },
};
