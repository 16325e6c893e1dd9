// Events for another stream than the one that their maker commits to: they wait in its outbox there, and this carries
// them over. Sources of the server would do it without a processor, were they not refused for a stream with message
// schedules, and wherever two streams write to each other (docs/decisions/0009).
//
//   FIRST   millrace.<FIRST>.outbox.<OTHER>.<partition in OTHER>.<type>  ->  OTHER   <root>.<key>.<type>
//
// Invariants (tests cite them):
//   X1  An event that was committed for another stream arrives there once, those of a key in their order.
//   X2  It arrives as it was made: its id, source, time and causes stay.
import type { StreamDeclaration } from '../broker/define-stream.js'
import { outboxRoot } from '../broker/system-subject.js'
import type { Logic, Processor } from '../kernel/processor.js'

/** An event goes on as it is, with the id and the source that its maker gave it. */
const LOGIC: Logic = { turn: (event) => [event], snapshot: () => undefined, stop: () => undefined }

/**
 * Carries the events that wait in a stream’s outbox over to the stream that they belong to. As each processor does, it
 * stores what it carries together with its position: each event arrives once, and those of a key in their order.
 *
 * One for each pair of streams, whichever pipelines there are. It has as many units as the target has partitions, so
 * that one of them carries all events of a key.
 * @param packed whether many events may share a message in the target; in the outbox each has its own
 */
export function outboxProcessor(from: StreamDeclaration, to: StreamDeclaration, packed = false): Processor {
  return {
    kind: 'outbox',
    name: outboxName(from.name, to.name),
    version: '1',
    from: { stream: { ...from, root: outboxRoot(from.name, to.name), partitions: to.partitions } },
    to: packed ? { stream: to, packed } : { stream: to },
    memory: 'none',
    start: () => LOGIC,
  }
}

export function outboxName(from: string, to: string): string {
  return `${from}_to_${to}`
}
