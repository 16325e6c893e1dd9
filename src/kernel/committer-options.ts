import type { Connection } from '../broker/connection.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import type { Claim } from './claim.js'
import type { CommitRecord } from './commit-record.js'
import type { JournalSpan } from './journal-spans.js'
import type { Packing } from './packer.js'
import type { MemoryKind } from './processor.js'
import type { Reporting } from './report.js'
import type { StateLog } from './state-log.js'
import type { Takeover } from './takeover.js'
import type { Checkpoint, Turn } from './turn.js'

export interface CommitterOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly claim: Claim
  /** Stream that is read, and stream that is written. */
  readonly input: string
  readonly output: string
  /** Of the output stream’s events. */
  readonly root?: string
  readonly memory: MemoryKind
  /** Memory `snapshot`: the state after the last turn that was added. */
  readonly snapshot: () => unknown
  /** Memory `replay` and `keyed`: looks at the state after the last turn that was added. */
  readonly checkpoint?: () => Checkpoint
  /** Memory `keyed`. */
  readonly stateLog?: StateLog | undefined
  /** What the code that was changed stores first: a turn that takes over. */
  readonly takeover?: Takeover | undefined
  /** Messages that the unit may have in hand. Default any number. */
  readonly credit?: number | undefined
  /** Outputs that may wait for a commit, where they are not packed. Default: those of two batches. */
  readonly mostOutputs?: number
  /** What of the journal a recovery has found. */
  readonly spans?: readonly JournalSpan[]
  /** Of the output stream, when outputs may share messages. */
  readonly packing?: Packing | undefined
  /** What the processor has passed over without a dead letter. */
  readonly notices?: () => Readonly<Record<string, number>> | undefined
  /** Memory `snapshot`: the first commit holds the state, for what is stored is another code’s, or nothing is. */
  readonly snapshotFirst?: boolean
  /** What the processor tells of itself. */
  readonly reporting?: Reporting | undefined
  /** Whether the stream deletes old messages by size, so that the record must be stored again now and then. */
  readonly bounded?: boolean
  /** Whether the journal stays as long as the stream, so that history can be replayed with its decisions. */
  readonly keepsJournal?: boolean
  /** Whether the state is that of the last turn; false while it is being brought back. */
  readonly recovered?: () => boolean
  /** What has to be done before a position is stored, after the dead letters up to it. */
  readonly before?: ((position: number) => Promise<void>) | undefined
  /** Told when storing does not succeed and is tried again. */
  readonly onStall?: (error: MillraceError, forMs: number) => void
  readonly onCommitted: (turns: readonly Turn[], record: CommitRecord) => void
  /** The committer has stopped; nothing after the last commit is stored. */
  readonly onFailure: (error: MillraceError) => void
}
