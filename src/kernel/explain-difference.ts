import type { Connection } from '../broker/connection.js'
import { Feed } from '../broker/feed.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import { decodeMessages } from '../event/decode.js'
import { storedFilter } from '../event/subject.js'
import type { Clock } from '../time/clock.js'
import type { ReplayedOutputs } from './replayed-outputs.js'
import { processorId, type Processor } from './processor.js'

/** How long the search for the output may take, in ms: the processor has stopped already, and somebody waits for why. */
const LIMIT_MS = 10_000
/** Characters of a payload that are shown. */
const SHOWN = 160

/**
 * Finds the first output that a replay made differently from what is stored, and says so in the error.
 * @returns the error with the output in its detail, or as it was when none is found in time
 */
export async function explainDifference(
  { connection, clock }: { readonly connection: Connection; readonly clock: Clock },
  processor: Processor,
  outputs: ReplayedOutputs,
  problem: MillraceError,
): Promise<MillraceError> {
  if (problem.code !== 'PROCESSOR_NONDETERMINISTIC') return problem
  const found = await firstDifferent(connection, clock, processor, outputs).catch(() => undefined) // the first word stands
  const how = `see \`millrace verify ${processor.name} --from-seq ${outputs.from} --to-seq ${outputs.to}\``
  const what =
    found === undefined
      ? `an output is missing or one too many came out; ${how}`
      : `${found.id}, of sequence ${found.sequence}, is stored as ${found.stored} and came out as ${found.replayed}; ${how}`
  return fault(problem.code, `${processorId(processor)}, replayed up to sequence ${outputs.to}: ${what}`, {
    cause: problem,
  })
}

interface Difference {
  readonly id: string
  readonly sequence: number
  readonly stored: string
  readonly replayed: string
}

function firstDifferent(
  connection: Connection,
  clock: Clock,
  { to }: Processor,
  outputs: ReplayedOutputs,
): Promise<Difference | undefined> {
  return new Promise((resolve, reject) => {
    const end = (found?: Difference): void => {
      cancel()
      feed.stop()
      resolve(found)
    }
    const cancel = clock.after(LIMIT_MS, () => end())
    const feed: Feed = new Feed(connection, {
      stream: to.stream.name,
      filters: [storedFilter(to.stream.root)],
      start: { kind: 'time', time: outputs.since },
      clock,
      onMessages: (messages) => {
        const found = messages.map((message) => difference(message, outputs)).find((one) => one !== undefined)
        feed.release(messages.length)
        if (found !== undefined) end(found)
      },
      onCaughtUp: () => end(),
      onFailure: reject,
    })
  })
}

function difference({ headers, data }: StoredMessage, outputs: ReplayedOutputs): Difference | undefined {
  for (const message of decodeMessages(headers, data)) {
    if (message.kind === 'rejected') continue
    const { id, data: stored } = message.envelope
    const replayed = outputs.find(id)
    if (replayed === undefined) continue
    const text = JSON.stringify(stored)
    if (text !== replayed.text)
      return { id, sequence: replayed.sequence, stored: text.slice(0, SHOWN), replayed: replayed.text.slice(0, SHOWN) }
  }
  return undefined
}
