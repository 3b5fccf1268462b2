/** The routes of those who run a server: health, metrics, the description of the API. */
import type { FastifyInstance } from 'fastify';
import type { Desk } from './desk.ts';
import { sendProblem } from './v1.ts';

export function addOperations(scope: FastifyInstance, { registry, metrics, isDraining }: Desk): void {
  scope.setErrorHandler(sendProblem);
  scope.get('/healthz', { schema: { summary: 'Whether the process answers' } }, async () => ({ status: 'ok' }));
  scope.get('/readyz', { schema: { summary: 'Whether it takes requests' } }, async (_, reply) => {
    const ready = !isDraining() && registry.ids.length > 0;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : isDraining() ? 'draining' : 'no models' });
  });
  scope.get('/metrics', { schema: { summary: 'Metrics, in the format of Prometheus' } }, async (_, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  scope.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger());
}
