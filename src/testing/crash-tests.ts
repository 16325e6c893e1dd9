import { fault } from '../error/millrace-error.js'
import { processorId } from '../kernel/processor.js'
import { crashOnce } from '../replay/verify/crash-once.js'
import { failureFault, failureOf } from '../replay/verify/failure.js'
import type { Finding } from '../replay/verify/finding.js'
import { verifyHistory } from '../replay/verify/verify-history.js'
import { systemClock } from '../time/system-clock.js'
import type { TestRun } from './test-run.js'
import type { UnitUnderTest } from './unit-under-test.js'

/** Crashes of one test, unless more are asked for. */
const POINTS = 10_000
/** Turns that they take at most, about. */
const WORK = 300_000

/** Crashes a run after one of its events. @throws VERIFY_FAILED, TEST_INVALID */
export function crashAfterEvent(run: TestRun, index: number): void {
  const place = run.units.log[index]
  if (place === undefined) throw fault('TEST_INVALID', `crashAt(${index}): ${run.units.log.length} events were given`)
  const { unit, sequence } = place
  const item = unit.history.indexOf(sequence)
  if (item === undefined) throw fault('TEST_INVALID', `crashAt(${index}): that event still waits for a step`)
  report(run, unit, crashOnce(unit.input, unit.history, item))
}

/** Crashes a run everywhere. @param points most crashes of each kind and partition. @throws VERIFY_FAILED */
export function crashAfterAll(run: TestRun, points: number | undefined): void {
  const limits = points === undefined ? { points: POINTS, work: WORK } : { points, work: Number.POSITIVE_INFINITY }
  for (const [, unit] of run.units.all) {
    const trials = verifyHistory(unit.input, unit.history, limits)
    let next = trials.next()
    while (next.done !== true) next = trials.next()
    report(run, unit, next.value.finding)
  }
}

function report({ subject }: TestRun, { input, history }: UnitUnderTest, finding: Finding | undefined): void {
  if (finding === undefined) return
  const { mode, processor } = subject
  const about = { partition: input.partition, items: history.length, mode, now: systemClock.now() }
  throw failureFault(processorId(processor), failureOf(finding, about))
}
