// Asks an aggregate and waits for what becomes of it.
//
//   requester -> command stream:   the command, with the inbox of the requester
//   owner -> inbox:                the outcome, when the decision is stored; a plain message, which may be lost
//   requester -> stream:           reads the records of the aggregate when no answer comes
//
// Invariants (tests cite them):
//   RQ1  An outcome that is stored before the time is over is found, whatever became of the answer.
//   RQ2  Nothing is said of a command but what is stored: an outcome, or that it is not known, with the way to find out.
//   RQ3  Nothing is left when the waiting ends, in whatever way: no timer, listener or slot.
//   RQ4  Who waits for a command that is kept behind one that failed is told so, and after it was redriven what it did.
//   RQ5  However many wait, a few at a time look into the log, and none before its command may be decided.
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import { parseDuration } from '../time/duration.js'
import type { ActorHome, CommandSender } from './command-sender.js'
import { OutcomeSearch } from './find-outcome.js'
import { decidedUpToOf } from './decided-up-to.js'
import { lookGateOf } from './look-gate.js'
import { LookTimes, type LookTimesOptions } from './look-times.js'
import { outcomeInboxOf } from './outcome-inbox.js'
import type { Outcome } from './outcome.js'
import type { TellOptions } from './tell.js'
import { unlessAborted } from './unless-aborted.js'

export interface RequestOptions extends TellOptions {
  /** How long to wait in all, in ms or as `30s`. Default 30 s. */
  readonly timeout?: number | string
}

const TIMEOUT_MS = 30_000
/** Why the looking ends. It is told to nobody: the same for all, for an error of its own costs more than the waiting. */
const OVER = new Error('nobody waits any more')

/**
 * Stores a command and waits for its outcome, whether its owner runs now or comes back in time. Asking again with the
 * same id has no further effect and finds the same outcome.
 * @throws COMMAND_OUTCOME_UNKNOWN it may have an effect yet; the detail says how to ask again · what tell throws ·
 *   the reason of `signal`
 */
export async function request(
  sender: CommandSender,
  home: ActorHome,
  draft: EventDraft,
  options: RequestOptions = {},
): Promise<Outcome> {
  const { id, signal } = options
  signal?.throwIfAborted()
  const timeout = parseDuration(options.timeout ?? TIMEOUT_MS)
  const commandId = sender.idFor(draft, id)
  const slot = outcomeInboxOf(sender.connection).open(commandId, draft.key ?? '')
  const scope = new AbortController()
  let stored: number | undefined
  let cancel = (): void => undefined
  try {
    const { message, aggregate } = sender.address(home, draft, commandId, slot.subject)
    const late = new Promise<never>((_, reject) => {
      cancel = sender.clock.after(timeout, () =>
        reject(unknownOutcome({ commandId, home, aggregate, timeout, sequence: stored })),
      )
    })
    const search = async (): Promise<Outcome> => {
      const { sequence, duplicate } = await sender.publish(message).catch((error: unknown) => {
        throw mayBeStored(error) ? unknownOutcome({ commandId, home, aggregate, timeout, cause: error }) : error
      })
      stored = sequence
      const place = { actor: home.actor, id: aggregate, records: home.records, commands: home.commands.name }
      const log = new OutcomeSearch(sender.connection, place, commandId, sequence)
      const decided = decidedUpToOf(sender.connection, sender.clock, home)
      const mayBeThere = (): Promise<boolean> => decided.mayBe(sequence)
      return inLog(sender, log, { duplicate, timeout, signal: scope.signal, mayBeThere })
    }
    const searched = search()
    searched.catch(() => undefined) // heard through the race, or too late
    late.catch(() => undefined)
    return await unlessAborted(Promise.race([slot.answer, searched, late]), signal)
  } finally {
    cancel()
    slot.close()
    scope.abort(OVER)
  }
}

/** Looks into the log now and then until it has the outcome; not at all where the answer comes soon. */
async function inLog(
  { clock, connection }: CommandSender,
  log: OutcomeSearch,
  options: LookTimesOptions & { readonly mayBeThere: () => Promise<boolean> },
): Promise<Outcome> {
  const { signal, mayBeThere } = options
  const gate = lookGateOf(connection)
  const times = new LookTimes(connection, clock, options)
  for (;;) {
    const last = await times.next()
    // what a stream’s contract refuses is known before its owner comes to it: the last look is for that too
    if (!last && !(await mayBeThere())) continue
    try {
      const outcome = await gate.pass(() => log.look(signal), last, signal)
      if (outcome !== undefined) return outcome
    } catch (error) {
      // a server that is away comes back; whatever else it is will not change
      if (!isFault(error) || error.disposition !== 'retry') throw error
    }
    signal.throwIfAborted()
  }
}

interface Unknown {
  readonly commandId: string
  readonly home: ActorHome
  readonly aggregate: string
  readonly timeout: number
  readonly sequence?: number | undefined
  readonly cause?: unknown
}

function unknownOutcome({ commandId, home, aggregate, timeout, sequence, cause }: Unknown): MillraceError {
  const where =
    sequence === undefined
      ? 'no stream has confirmed that it is stored'
      : `it is stored at sequence ${sequence} of ${home.commands.name}`
  const again = `outcome(${JSON.stringify(aggregate)}, ${JSON.stringify(commandId)})`
  return fault(
    'COMMAND_OUTCOME_UNKNOWN',
    `command ${commandId} for ${home.actor} ${JSON.stringify(aggregate)}, after ${timeout} ms: ${where}; ask again with ${again}`,
    { cause },
  )
}

/** The server may have stored what it did not confirm. */
function mayBeStored(error: unknown): boolean {
  return isFault(error, 'BROKER_TIMEOUT', 'BROKER_UNREACHABLE')
}
