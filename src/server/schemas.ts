/** The schemas of requests and answers, from which openapi.json is made. */
import Type, { type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { HttpError } from './problems.ts';

const exact = { additionalProperties: false };
const number = Type.Number();
const numbers = Type.Array(number);
const gappy = Type.Union([number, Type.Null()]);
const row = Type.Array(gappy, { description: 'one number for each input; null: a gap' });

export const ModelParams = Type.Object({ id: Type.String({ description: 'id of the model' }) });
export const SessionParams = Type.Object({ id: Type.String(), session: Type.String() });
export const ScoreQuery = Type.Object(
  {
    dtype: Type.Optional(Type.Enum(['f64', 'f32'])),
    missing: Type.Optional(Type.Literal('nan')),
    output: Type.Optional(Type.String()),
    lengths: Type.Optional(Type.String({ pattern: '^\\d{1,10}(,\\d{1,10})*$' })),
    outputs: Type.Optional(Type.String({ description: 'of a stream of lines: names separated by commas' })),
  },
  exact,
);
export const NoQuery = Type.Object({}, exact);
const OutputNames = Type.Array(Type.String(), { minItems: 1, maxItems: 16 });
export const ScoreBody = Type.Union([
  Type.Object({ rows: Type.Array(row), outputs: Type.Optional(OutputNames) }, exact),
  Type.Object({ sequences: Type.Array(Type.Array(row)), outputs: Type.Optional(OutputNames) }, exact),
]);
const scores = {
  logDensity: Type.Optional(Type.Array(gappy)),
  responsibilities: Type.Optional(Type.Array(numbers)),
  component: Type.Optional(Type.Array(Type.Integer())),
  anomaly: Type.Optional(Type.Array(Type.Boolean())),
  logLikelihood: Type.Optional(number),
  probabilities: Type.Optional(Type.Union([Type.Array(numbers), numbers])),
};
export const ScoreAnswer = Type.Object({ ...scores, sequences: Type.Optional(Type.Array(Type.Object(scores))) });
export const ProblemAnswer = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  argument: Type.Optional(Type.String()),
  row: Type.Optional(Type.Integer()),
  column: Type.Optional(Type.Integer()),
});
export const ModelAnswer = Type.Object({
  id: Type.String(),
  sha256: Type.String(),
  kind: Type.String(),
  inputs: Type.Integer(),
  gaps: Type.Boolean(),
  sequences: Type.Boolean(),
  outputs: Type.Array(Type.String()),
});
export const ModelsAnswer = Type.Object({ models: Type.Array(ModelAnswer) });
export const SessionAnswer = Type.Object({ session: Type.String() });
export const RowsBody = Type.Object({ rows: Type.Array(row) }, exact);

/** Tensors of the Open Inference Protocol. */
export const InferBody = Type.Object(
  {
    id: Type.Optional(Type.String()),
    parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    inputs: Type.Array(
      Type.Object({
        name: Type.String(),
        shape: Type.Array(Type.Integer({ minimum: 0 })),
        datatype: Type.String(),
        parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        data: Type.Optional(Type.Array(Type.Unknown())),
      }),
    ),
    outputs: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String(),
          parameters: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        }),
      ),
    ),
  },
  { description: 'or binary: this object in the first Inference-Header-Content-Length bytes, the tensors behind it' },
);

type Check = (value: unknown) => { value: unknown } | { error: Error };
/** The check of a part of a request by its schema, as it came: nothing is coerced, filled in or removed. */
export function validatorOf({ schema, httpPart }: { schema: unknown; httpPart?: string }): Check {
  if (httpPart === 'body') return (value) => ({ value }); // read by hand, with the place of each fault (json.ts)
  const compiled = Compile(schema as TSchema);
  return (value) => {
    if (compiled.Check(value)) return { value };
    const [first] = compiled.Errors(value);
    const place = `${httpPart}${first?.instancePath ?? ''}`;
    return { error: new HttpError('BAD_REQUEST', `${place} ${first?.message ?? 'is not as it must be'}`) };
  };
}
