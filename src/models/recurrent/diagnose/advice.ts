/** One sentence for each regime. */
import type { Regime } from '../../regime.ts';
import type { Cell } from '../stack/cell.ts';
import type { GradientCheck } from './check.ts';

/** A gradient that differs more from finite differences is wrong. */
const WRONG = 1e-3;

export function adviceOf(found: {
  readonly regime: Regime;
  readonly growthRate: number;
  readonly reach: number | undefined;
  readonly cell: Cell;
  readonly check: GradientCheck;
}): string {
  const { regime, growthRate, reach, cell, check } = found;
  if (check.worstRelativeDifference > WRONG)
    return `The gradient by ${check.parameter} differs from finite differences: the parameters are extreme, or it is wrong.`;
  const gated = cell === 'lstm' || cell === 'gru';
  const perStep = `${(100 * Math.abs(Math.expm1(growthRate))).toPrecision(2)} % a step`;
  if (regime === 'exploding')
    return `The gradient grows by ${perStep} going back in time: clip it, lower the learning rate, or make the recurrent weights smaller.`;
  if (regime === 'stable') return 'The gradient reaches back through the sequences: look for the trouble elsewhere.';
  const fate = reach === undefined ? '' : `, and ${reach} steps back a thousandth is left`;
  const cure = gated
    ? 'a larger bias of the forget gate, or a shorter way between cause and effect'
    : 'a cell with gates (lstm or gru), or recurrent weights nearer to orthogonal ones';
  return `The gradient falls by ${perStep} going back in time${fate}: to learn from farther back it needs ${cure}.`;
}
