// How far the runtime is, read from the stream as anyone could read it.
import type { Connection } from '../src/broker/connection.ts'
import { readLast } from '../src/broker/last-message.ts'
import { commitSubject } from '../src/broker/system-subject.ts'
import { decodeCommitRecord } from '../src/kernel/commit-record.ts'
import { partitionsOf, processorId, type Processor } from '../src/kernel/processor.ts'

/** Turns that a processor has committed, in all its units. */
export async function committedTurns(connection: Connection, processor: Processor): Promise<number> {
  const turns = await Promise.all(
    partitionsOf(processor).map(async (partition) => {
      const subject = commitSubject(processor.to.stream.name, processorId(processor), partition)
      const last = await readLast(connection, processor.to.stream.name, subject)
      return last === undefined ? 0 : decodeCommitRecord(last.data, subject).turns
    }),
  )
  return turns.reduce((sum, count) => sum + count, 0)
}

/** Messages that the processors have not acknowledged. The server keeps count. */
export async function lag(connection: Connection, processors: readonly Processor[]): Promise<number> {
  let behind = 0
  for (const stream of new Set(processors.map(({ from }) => from.stream.name)))
    for await (const info of connection.manager.consumers.list(stream))
      behind += info.num_pending + info.num_ack_pending
  return behind
}

/** Resolves when no processor is behind and none has put out more for a moment. */
export async function caughtUp(
  connection: Connection,
  processors: readonly Processor[],
  onLag: (behind: number) => void,
): Promise<void> {
  const deadline = performance.now() + 120_000
  for (let quiet = 0; quiet < 3;) {
    const behind = await lag(connection, processors)
    onLag(behind)
    quiet = behind === 0 ? quiet + 1 : 0
    if (performance.now() > deadline) throw new Error(`still ${behind} messages behind after two minutes`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
