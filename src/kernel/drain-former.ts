import { readLast } from '../broker/last-message.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { commitSubject } from '../broker/system-subject.js'
import { fault } from '../error/millrace-error.js'
import { beginUnit, type Beginning } from './begin-unit.js'
import { decodeCommitRecord } from './commit-record.js'
import { createCommitter } from './create-committer.js'
import type { Committer } from './committer.js'
import type { Decision } from './decision.js'
import { readsLetters } from './reads-letters.js'
import { takesRedriven } from './parking/key-parking.js'
import type { ProcessorOptions } from './processor-options.js'
import { processorId, WHOLE, type Processor } from './processor.js'
import { StepRunner } from './step-runner.js'
import { UnitFeed } from './unit-feed.js'

/** Ticks after which the former code is taken for one that never comes to rest. */
const MOST_TICKS = 10_000_000
/** Ticks committed together. */
const AT_ONCE = 1_000

/**
 * Ends what the former code of a processor has open, before changed code begins: its state is brought back, and time
 * goes on without events until nothing lives, as when every key has become idle. What it puts out on the way is stored,
 * with the ticks in the journal. Does nothing when nothing is open. A crash in the middle is no harm: the next start
 * goes on from what was committed.
 * @throws DRAIN_ENDLESS, and what starting the former code throws
 */
export async function drainFormer(processor: Processor, options: ProcessorOptions): Promise<void> {
  const { former } = processor
  if (former === undefined || !(await hasOpenState(former, options))) return
  const beginning = await beginUnit(former, { ...options, shadow: undefined })
  const { logic, claim } = beginning
  let stop = (): void => undefined
  const failed = new Promise<never>((_, reject) => {
    beginning.onBroken(reject)
    stop = () => reject(new Error('drained'))
  })
  const committer = createCommitter(former, options, beginning, {
    onStall: () => undefined,
    onCommitted: () => undefined,
    onFailure: () => undefined, // flush rejects with it
  })
  committer.stopTending()
  try {
    await Promise.race([failed, replay(former, options, beginning)])
    if (claim.record.partial !== null)
      throw fault(
        'DRAIN_ENDLESS',
        `${claim.record.processor}: a part of its outputs is stored; run the former code once`,
      )
    await Promise.race([failed, passTime(options, beginning, committer)])
  } finally {
    failed.catch(() => undefined) // told by the race, or over
    stop()
    logic.stop()
  }
}

/** Whether the stored state is of the former code, and something lives in it. */
async function hasOpenState(former: Processor, { connection, partition = WHOLE }: ProcessorOptions): Promise<boolean> {
  const stream = former.to.stream.name
  const subject = commitSubject(stream, processorId(former), partition)
  const last = await readLast(connection, stream, subject)
  if (last === undefined) return false
  const { stateVersion, replayFrom } = decodeCommitRecord(last.data, subject)
  return stateVersion === former.version && replayFrom !== null
}

/** Gives the logic its messages up to the position again. */
async function replay(former: Processor, options: ProcessorOptions, beginning: Beginning): Promise<void> {
  const { connection, clock, registry, partition = WHOLE, plan } = options
  const { recovery, readFrom, logic, claim } = beginning
  let feed: UnitFeed | undefined
  const take = (messages: readonly StoredMessage[]): boolean => {
    for (const message of messages) {
      if (message.sequence > recovery.until) return true
      recovery.replay(message)
    }
    feed?.release(messages.length)
    return messages.at(-1)?.sequence === recovery.until
  }
  const letters = await readsLetters(connection, former, partition)
  try {
    if (readFrom <= recovery.until)
      await new Promise<void>((resolve, reject) => {
        feed = new UnitFeed(connection, {
          processor: former,
          partition,
          registry,
          from: readFrom,
          durable: false,
          redriven: takesRedriven(former, claim.record),
          letters,
          plan,
          clock,
          onMessages: (messages) => {
            try {
              if (take(messages)) resolve()
            } catch (error) {
              reject(error as Error)
            }
          },
          onCaughtUp: () => resolve(),
          onFailure: reject,
        })
      })
  } finally {
    feed?.stop()
  }
  const problem = recovery.end(former, logic)
  if (problem !== undefined) throw problem
}

/** Lets time pass, step by step, until nothing lives. */
async function passTime(options: ProcessorOptions, beginning: Beginning, committer: Committer): Promise<void> {
  const { logic, execution, claim } = beginning
  const settled: Decision[] = []
  const steps = new StepRunner({
    clock: options.clock,
    onSettled: (id, outcome) => settled.push({ kind: 'step', id, outcome }),
  })
  const decide = (decision: Decision): void => committer.add([execution.decide(decision)])
  try {
    for (let ticks = 0; logic.replayStart?.() !== undefined; ticks++) {
      for (const request of logic.takeSteps?.() ?? []) steps.run(request)
      while (steps.pending > 0 && settled.length === 0) await options.clock.sleep(2)
      for (const decision of settled.splice(0)) decide(decision)
      const due = steps.pending > 0 ? Number.POSITIVE_INFINITY : (logic.due ?? Number.POSITIVE_INFINITY)
      if (due !== Number.POSITIVE_INFINITY) decide({ kind: 'tick', time: due })
      else if (steps.pending === 0) break
      if (ticks > MOST_TICKS) throw fault('DRAIN_ENDLESS', `${claim.record.processor} after ${ticks} ticks`)
      if (ticks % AT_ONCE === AT_ONCE - 1) await committer.flush(false)
    }
    await committer.flush(false)
  } finally {
    steps.stop()
  }
}
