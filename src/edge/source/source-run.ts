// SourceRun
//
// Stores what a reader reads as events of a stream, in its order. One process of a group does.
//
//   reader -> SourceRun:   inputs in order, from behind a place
//   SourceRun -> stream:   events, and the place behind them, in one batch, on condition that nobody else has stored one
//
// Invariants (tests cite them):
//   SO1  An input is stored once, in order, wherever processes are killed: events and place are one batch.
//   SO2  An input that is no event becomes a dead letter, which is stored before the place passes it.
//   SO3  No more is read than is stored: what the stream does not take stays where it is, and that is told with a code.
import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { isFault, type MillraceError } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import type { Log } from '../../observe/log.js'
import type { Counted, RelayCommits } from '../../outbox/relay-commits.js'
import type { Clock } from '../../time/clock.js'
import { edgeCommits } from '../edge-commits.js'
import { EdgeRun, type EdgeProgress } from '../edge-run.js'
import { sourceId, type EdgeKind } from '../edge-status.js'
import { asInputFault } from './source-message.js'

/** One thing that was read. */
export interface Input<Place> {
  /** Where the source is behind it. */
  readonly place: Place
  /** The event of it; undefined: there is none in it. @throws why it is no event */
  message(): WireMessage | undefined
  letter(error: MillraceError): WireMessage
}

export interface SourceReader<Place> {
  /** The next ones, one at least; undefined: it was asked to stop. @throws what is in its way */
  next(): Promise<readonly Input<Place>[] | undefined>
  /** They are stored. */
  stored?(inputs: number): void
  stop(): Promise<void>
}

export interface SourceRunOptions<Place> {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly name: string
  readonly kind: EdgeKind
  readonly stream: StreamDeclaration
  /** A text that no other run has. */
  readonly run: string
  readonly isPlace: (value: unknown) => value is Place
  /** @param place undefined: it runs for the first time */
  readonly open: (place: Place | undefined, progress: EdgeProgress) => Promise<SourceReader<Place>>
  /** For `millrace status`. */
  readonly describe: (place: Place) => number | string
}

export function startSource<Place>(options: SourceRunOptions<Place>): EdgeRun {
  const { clock, log, name, kind, stream } = options
  const work = (progress: EdgeProgress): Promise<void> => pump(options, progress)
  return EdgeRun.start({ edge: sourceId(name), kind, stream: stream.name, clock, log, work })
}

async function pump<Place>(options: SourceRunOptions<Place>, progress: EdgeProgress): Promise<void> {
  const { connection, clock, stream, name, run, isPlace, open, describe } = options
  const known = { connection, clock, stream: stream.name, edge: sourceId(name), run, isPlace, progress }
  const commits = edgeCommits<Place>(known)
  const place = (await commits.takeUp())?.place
  const reader = await open(place, progress)
  const tell = (at: Place | undefined): void => {
    const { relayed = 0, letters = 0 } = commits.record ?? {}
    progress.moved(at === undefined ? '' : describe(at), { done: relayed, letters })
  }
  try {
    tell(place)
    for (;;) {
      const inputs = await reader.next()
      if (inputs === undefined) return
      await storeAll(commits, inputs)
      reader.stored?.(inputs.length)
      tell(commits.record?.place)
    }
  } finally {
    await reader.stop()
  }
}

interface Ready<Place> {
  readonly input: Input<Place>
  readonly message: WireMessage
  readonly place: Place
}

async function storeAll<Place>(commits: RelayCommits<Place>, inputs: readonly Input<Place>[]): Promise<void> {
  let ready: Ready<Place>[] = []
  let behind: Place | undefined
  const refuse = async (input: Input<Place>, error: MillraceError): Promise<Counted> => {
    if (isDuplicate(error)) return { letters: 0, duplicates: 1 }
    await commits.storeLetter(input.letter(error))
    return { letters: 1, duplicates: 0 }
  }
  const flush = async (): Promise<void> => {
    const part = ready
    ready = []
    await commits.storeAll(part, (at, error) => refuse((part[at] as Ready<Place>).input, error))
  }
  for (const input of inputs) {
    const { place } = input
    let message
    try {
      message = input.message()
    } catch (error) {
      await flush()
      await commits.store([], place, await refuse(input, asInputFault(error)))
      behind = undefined
      continue
    }
    if (message === undefined) behind = place
    else {
      ready.push({ input, message, place })
      behind = undefined
    }
  }
  await flush()
  if (behind !== undefined) await commits.store([], behind)
}

/** JetStream error 10201: a batch with a message id that the stream knows. */
function isDuplicate(error: MillraceError): boolean {
  return isFault(error, 'BATCH_REFUSED') && error.detail.includes('(10201)')
}
