// Turns of messages and decisions that a test makes up, and what the state is like after each.
import type { Decision, JournalEntry } from '../../src/kernel/decision.ts'
import { journalOf } from '../../src/kernel/journal-spans.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { turnOf } from './messages.ts'

export interface Step {
  readonly kind: 'message' | 'tick' | 'step' | 'skip'
  readonly gap: number
  readonly outputs: number
  readonly failures: number
  /** Keys that the turn changes, or deletes. */
  readonly keys: readonly number[]
  /** How many messages back the oldest living state began; more than there are: nothing lives. */
  readonly back: number
}

/** A turn, and what the state is like after it. */
export interface Known {
  readonly turn: Turn
  readonly changes: readonly (readonly [string, number | undefined])[]
  /** Sequence at which the oldest living state began. */
  readonly start: number | undefined
}

export function knownOf(steps: readonly Step[]): Known[] {
  let [sequence, ordinal, failures, oldest] = [0, 0, 0, 0]
  const sequences: number[] = []
  return steps.map((step, at) => {
    const fresh = step.kind === 'message' || step.kind === 'skip'
    if (fresh) [sequence, ordinal, failures] = [sequence + step.gap, 0, 0]
    if (step.kind === 'message') sequences.push(sequence)
    const outputs = step.kind === 'skip' ? 0 : step.outputs
    const turn = turnOf(sequence, outputs, {
      ...(fresh ? {} : { message: undefined, storedAt: 0 }),
      decision: decisionOf(step.kind, at, sequence),
      deadLetters: Array.from({ length: step.failures }, () => REASON),
      outputs: Array.from({ length: outputs }, (_, n) => outputAt(sequence, ordinal + n)),
      outputsBefore: ordinal,
      failuresBefore: failures,
    })
    ;[ordinal, failures] = [ordinal + outputs, failures + step.failures]
    oldest = Math.max(oldest, sequences[sequences.length - 1 - step.back] ?? sequence + 1)
    const changes = step.keys.map((key) => [`k${key}`, (at + key) % 4 === 0 ? undefined : at] as const)
    return { turn, changes, start: oldest > sequence ? undefined : oldest }
  })
}

const REASON = { processor: 'pipeline-p', code: 'TURN_FAILED', detail: '', issues: [] }
const outputAt = (sequence: number, ordinal: number) => ({
  subject: 'out.0.made',
  headers: [],
  data: Buffer.from(`${sequence}-${ordinal}`),
})

function decisionOf(kind: Step['kind'], at: number, sequence: number): Decision | undefined {
  if (kind === 'message') return undefined
  if (kind === 'skip') return { kind, sequence }
  if (kind === 'tick') return { kind, time: at }
  return { kind, id: `s${at}`, outcome: { ok: true, value: at } }
}

/** What a process that comes back makes of stored ticks that follow each other: one. */
export function mergedFrom(all: readonly Known[], from: number, stored: readonly JournalEntry[]): Known[] {
  const merged = all.slice(0, from)
  const ahead = all.slice(from)
  const text = JSON.stringify(stored)
  const again = ahead.findLastIndex((_, at) => {
    const turns = ahead.slice(0, at + 1).map(({ turn }) => turn)
    return JSON.stringify(journalOf(turns)) === text
  })
  for (const [at, known] of ahead.entries()) {
    const last = at > 0 && at <= again ? merged.at(-1) : undefined
    const { turn } = known
    if (last?.turn.decision?.kind !== 'tick' || turn.decision?.kind !== 'tick') merged.push(known)
    else if (last.turn.sequence !== turn.sequence) merged.push(known)
    else
      merged[merged.length - 1] = {
        ...known,
        changes: [...last.changes, ...known.changes],
        turn: {
          ...turn,
          outputs: [...last.turn.outputs, ...turn.outputs],
          deadLetters: [...last.turn.deadLetters, ...turn.deadLetters],
          outputsBefore: last.turn.outputsBefore,
          failuresBefore: last.turn.failuresBefore,
        },
      }
  }
  return merged
}
