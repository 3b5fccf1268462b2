/** Metrics in the format of Prometheus. Labels are ids of models and statuses, never text of a request. */
import { Counter, Gauge, Histogram, Registry as Metrics } from 'prom-client';
import type { Observer, Queue, Target } from './queue.ts';
import type { Version } from './registry.ts';
import type { Sessions } from './sessions.ts';

const seconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export class ServerMetrics implements Observer {
  private readonly all = new Metrics();
  private readonly on = { registers: [this.all] };
  private readonly requests = new Counter({
    name: 'seqlik_requests_total',
    help: 'Requests answered, by model and status',
    labelNames: ['model', 'code'] as const,
    ...this.on,
  });
  private readonly rows = new Counter({
    name: 'seqlik_rows_total',
    help: 'Rows scored',
    labelNames: ['model'] as const,
    ...this.on,
  });
  private readonly batches = new Counter({
    name: 'seqlik_batches_total',
    help: 'Computations, each of which serves one request or several',
    labelNames: ['model'] as const,
    ...this.on,
  });
  private readonly requestSeconds = new Histogram({
    name: 'seqlik_request_seconds',
    help: 'Time from the headers of a request to its answer',
    buckets: seconds,
    ...this.on,
  });
  private readonly queueSeconds = new Histogram({
    name: 'seqlik_queue_seconds',
    help: 'Time that a request waited to be computed',
    buckets: seconds,
    ...this.on,
  });
  private readonly computeSeconds = new Histogram({
    name: 'seqlik_compute_seconds',
    help: 'Time of a computation',
    buckets: seconds,
    ...this.on,
  });
  private readonly info = new Gauge({
    name: 'seqlik_model_info',
    help: '1 for the version of each model that answers',
    labelNames: ['model', 'kind', 'sha256'] as const,
    ...this.on,
  });

  /** Adds the gauges, which are read when somebody asks. */
  watch(queue: Queue, sessions: Sessions): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        ...this.on,
        collect() {
          this.set(read());
        },
      });
    };
    gauge('seqlik_queue_rows', 'Rows that are waiting or being computed', () => queue.rows);
    gauge('seqlik_queue_requests', 'Requests that are waiting or being computed', () => queue.requests);
    gauge('seqlik_sessions', 'Sessions that are open', () => sessions.size);
  }
  changed(version: Version, before: Version | undefined): void {
    if (before) this.info.remove(labelsOf(before));
    this.info.set(labelsOf(version), 1);
  }
  queued(time: number): void {
    this.queueSeconds.observe(time);
  }
  computed({ id }: Target, time: number): void {
    this.batches.inc({ model: id });
    this.computeSeconds.observe(time);
  }
  scored({ id }: Target, rows: number): void {
    this.rows.inc({ model: id }, rows);
  }
  /** `model`: '' where there is none of the id that was asked for. */
  answered(model: string, code: number, milliseconds: number): void {
    this.requests.inc({ model, code });
    this.requestSeconds.observe(milliseconds / 1000);
  }
  get contentType(): string {
    return this.all.contentType;
  }
  text(): Promise<string> {
    return this.all.metrics();
  }
}
const labelsOf = ({ id, model, sha256 }: Version) => ({ model: id, kind: model.kind, sha256 });
