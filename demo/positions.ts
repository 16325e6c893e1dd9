// How far the runtime is, read from the stream as anyone could read it.
import type { Connection } from '../src/broker/connection.ts'
import { readLast } from '../src/broker/last-message.ts'
import { commitSubject } from '../src/broker/system-subject.ts'
import { decodeCommitRecord } from '../src/kernel/commit-record.ts'
import { processorId, type Processor } from '../src/kernel/processor.ts'

/** Turns that a processor has committed. */
export async function committedTurns(connection: Connection, processor: Processor): Promise<number> {
  const subject = commitSubject(processor.to.stream.name, processorId(processor), 'all')
  const last = await readLast(connection, processor.to.stream.name, subject)
  return last === undefined ? 0 : decodeCommitRecord(last.data, subject).turns
}

/** Messages that the processors have not acknowledged. The server keeps count. */
export async function lag(connection: Connection, processors: readonly Processor[]): Promise<number> {
  let behind = 0
  for (const processor of processors) {
    const info = await connection.manager.consumers.info(processor.from.stream.name, processorId(processor))
    behind += info.num_pending + info.num_ack_pending
  }
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
