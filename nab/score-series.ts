import { usable, type DetectorPlan } from '../src/cep/detect/detector.ts'
import type { Row } from './read-corpus.ts'

/** Scores each row with what came before it: one detector, each row once, in the file's order. What is no number scores 0. */
export function scoreSeries(plan: DetectorPlan, rows: readonly Row[]): number[] {
  const detector = plan.start()
  return rows.map(({ time, value }) => (usable(value) ? (detector.observe(value, time, '')?.score ?? 0) : 0))
}
