// What every runtime computes: log-densities of 10,000 points, EM statistics, a filtered sequence, and a network's loss
// and gradient, on the default backend; the hash of all their bits. The inputs are exact in any engine: no Math.sin.
import { GaussianMixture, LinearDynamicalSystem, MixtureDensityNetwork, openBackend } from 'seqlik';

/** Resolves to `BACKEND HASH`. */
export async function hash(name) {
  const backend = openBackend({ reproducible: true, ...(name && { name }) });
  const draw = drawer();
  const d = 4;
  const k = 5;
  const covariances = Float64Array.from({ length: k * d * d }, (_, i) => (i % (d + 1) === 0 ? 1.25 : 0.125));
  for (let c = 0; c < k; c++)
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) covariances[(c * d + i) * d + j] = i === j ? 1 + c / 4 : 1 / 8;
  const mixture = new GaussianMixture(
    { weights: [0.25, 0.25, 0.125, 0.125, 0.25], means: draw(k * d), covariances },
    { backend },
  );
  const x = draw(10_000 * d);
  const totals = mixture.statistics(x);

  const system = new LinearDynamicalSystem(
    {
      transition: [0.75, 0.25, -0.25, 0.5],
      observation: [1, 0, 0.5, 1, 0.25, -1],
      transitionCovariance: [0.5, 0.125, 0.125, 0.5],
      observationCovariance: [1, 0.25, 0, 0.25, 1, 0, 0, 0, 1],
      initialMean: [0, 0],
      initialCovariance: [1, 0, 0, 1],
    },
    { backend },
  );
  const { means, covariances: filtered, logDensity } = system.filter(draw(500 * 3));

  const shape = { dimension: 2, hidden: [16, 16], components: 3, cell: 'lstm' };
  const parameters = {};
  const drawn = new MixtureDensityNetwork(shape, { backend }).parameters;
  for (const key of Object.keys(drawn)) parameters[key] = draw(drawn[key].length).map((v) => v / 8);
  const network = new MixtureDensityNetwork({ ...shape, parameters }, { backend });
  const { loss, gradient } = network.lossGradient(draw(60 * 2));

  const bits = [mixture.logDensity(x), totals.toBytes(), means, filtered, logDensity, Float64Array.of(loss)];
  for (const key of Object.keys(gradient).sort()) bits.push(gradient[key]);
  return `${backend.name} ${fingerprint(bits)}`;
}

/** Draws of multiples of 2^-15 in [-2, 2). */
function drawer() {
  let state = 1;
  return (count) =>
    Float64Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 15) / 2 ** 15 - 2;
    });
}
/** FNV-1a over the bytes of arrays, forwards and backwards: 64 bits, as 16 letters. */
function fingerprint(arrays) {
  let [a, b] = [0x811c9dc5, 0x811c9dc5];
  for (const { buffer, byteOffset, byteLength } of arrays) {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let i = 0; i < byteLength; i++) {
      a = Math.imul(a ^ bytes[i], 0x01000193);
      b = Math.imul(b ^ bytes[byteLength - 1 - i], 0x01000193);
    }
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
