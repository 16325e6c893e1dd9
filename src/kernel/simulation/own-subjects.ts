import { journalSubject, reportSubject, snapshotSubject, stateSubject } from '../../broker/system-subject.js'
import { processorId, type Processor } from '../processor.js'

/**
 * Tells what a unit has stored for itself, beside its record, from what is for others. The outbox has system subjects
 * too, and its messages are for others.
 */
export function ownSubjects(processor: Processor, partition: string): (subject: string) => boolean {
  const [stream, id] = [processor.to.stream.name, processorId(processor)]
  const exact = [
    journalSubject(stream, id, partition),
    stateSubject(stream, id, partition),
    reportSubject(stream, id, partition),
  ]
  const chunks = snapshotSubject(stream, id, partition, 0).slice(0, -1)
  return (subject) => exact.includes(subject) || subject.startsWith(chunks)
}
