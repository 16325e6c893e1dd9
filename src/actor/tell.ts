// Stores commands for aggregates.
//
// Invariants (tests cite them):
//   TL1  A command that was told is stored once for its aggregate and its id, whoever repeats it, within the duplicate
//        window of the stream; and it has one effect for as long as the aggregate remembers its id.
import type { EventDraft } from '../event/event.js'
import type { ActorHome, CommandSender } from './command-sender.js'
import { unlessAborted } from './unless-aborted.js'

export interface TellOptions {
  /** Of the command: whoever may send it a second time gives the same one. Default: that of the draft, else a new one. */
  readonly id?: string
  /** Stops the waiting. The command may be stored nevertheless. */
  readonly signal?: AbortSignal
}

/** The receipt of a command. */
export interface Told {
  readonly commandId: string
  /** Where it is in the stream of commands. */
  readonly sequence: number
  /** It was told before: `sequence` is where. */
  readonly duplicate: boolean
}

/**
 * Stores a command: when this resolves it is durable, and is decided whether or not its owner runs now. Telling it again
 * with the same id has no further effect.
 * @throws AGGREGATE_ID_INVALID, MESSAGE_TOO_LARGE, STREAM_FULL, NO_STREAM_FOR_SUBJECT: it is not stored · BROKER_TIMEOUT,
 *   BROKER_UNREACHABLE, or the reason of `signal`: it may be; telling it again with the same id is safe
 */
export async function tell(
  sender: CommandSender,
  home: ActorHome,
  draft: EventDraft,
  { id, signal }: TellOptions = {},
): Promise<Told> {
  signal?.throwIfAborted()
  const commandId = sender.idFor(draft, id)
  const { message } = sender.address(home, draft, commandId)
  const { sequence, duplicate } = await unlessAborted(sender.publish(message), signal)
  return { commandId, sequence, duplicate }
}
