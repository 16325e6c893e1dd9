// Subjects of Millrace's own messages. They are kept apart from events, so that permissions can keep others out:
// a foreign write to a commit subject would stop its processor.

/** Everything that Millrace writes into a stream beside events. */
export function systemSubjects(stream: string): string {
  return `millrace.${stream}.>`
}

/** Where the commit records of one processor and partition are. The last one is the truth. */
export function commitSubject(stream: string, processor: string, partition: string): string {
  return `millrace.${stream}.commit.${processor}.${partition}`
}

/** The commit records of every processor and partition in a stream. */
export function commitFilter(stream: string): string {
  return `millrace.${stream}.commit.*.*`
}

/** Where a stream says of itself into how many partitions it spreads its keys, since when. */
export function partitionsSubject(stream: string): string {
  return `millrace.${stream}.partitions`
}

/** Where whoever moves the state of a processor to other units says so; it fences another who does. */
export function moveSubject(stream: string, processor: string): string {
  return `millrace.${stream}.move.${processor}`
}

/** Where one chunk of a processor’s snapshot is. */
export function snapshotSubject(stream: string, processor: string, partition: string, chunk: number): string {
  return `millrace.${stream}.snapshot.${processor}.${partition}.${chunk}`
}

/** Where the journal of one processor and partition is: the decisions that a replay has to take again. */
export function journalSubject(stream: string, processor: string, partition: string): string {
  return `millrace.${stream}.journal.${processor}.${partition}`
}

/** Where the keyed state of one processor and partition is written on. */
export function stateSubject(stream: string, processor: string, partition: string): string {
  return `millrace.${stream}.state.${processor}.${partition}`
}

/** Where one processor and partition tells how it is; the last message counts. */
export function reportSubject(stream: string, processor: string, partition: string): string {
  return `millrace.${stream}.report.${processor}.${partition}`
}

/** The reports of every processor and partition in a stream. */
export function reportFilter(stream: string): string {
  return `millrace.${stream}.report.*.*`
}

/** Where the events of one parked key are, in their order. @param token of the key: see parkToken */
export function parkSubject(stream: string, processor: string, partition: string, token: string): string {
  return `millrace.${stream}.park.${processor}.${partition}.${token}`
}

/** Where events of parked keys come back to one processor and partition, in the stream that it reads. */
export function redriveSubject(stream: string, processor: string, partition: string): string {
  return `millrace.${stream}.${REDRIVE}.${processor}.${partition}`
}

/**
 * Where the event of a dead letter comes back to one processor and partition: a subject that is written to once.
 * @param which the letter, and how often it was redriven; of a filter: `>`
 */
export function letterSubject(stream: string, processor: string, partition: string, which: string): string {
  return `${redriveSubject(stream, processor, partition)}.${which}`
}

/** Where a stream is told that the event of a dead letter came back to it, in one batch with the event. */
export function sentSubject(stream: string, to: string, which: string): string {
  return `millrace.${stream}.sent.${to}.${which}`
}

/** What comes back to any processor that reads a stream. */
export function redriveSubjects(stream: string): string {
  return `millrace.${stream}.${REDRIVE}.>`
}

/** The token that tells it from others; no input of a stream that merges several may be named so. */
export const REDRIVE = 'redrive'

/**
 * Where a stream keeps events that belong to another one, until they are carried over: it stands for the root of their
 * subjects, and the partition and the type come after it. The partition is the one that the key has in the other stream.
 */
export function outboxRoot(stream: string, target: string): string {
  return `millrace.${stream}.outbox.${target}`
}

/** Where a stream says how far the relay of an outbox in a database is. The last one is the truth. */
export function relaySubject(stream: string, outbox: string): string {
  return `millrace.${stream}.relay.${outbox}`
}

/** Where that relay tells how it is. */
export function relayStatusSubject(stream: string, outbox: string): string {
  return `millrace.${stream}.relay.${outbox}.status`
}

/** Where a stream says how far a schedule is. The last one is the truth. */
export function scheduleSubject(stream: string, schedule: string): string {
  return `millrace.${stream}.schedule.${schedule}`
}

/** Where a stream says how far a sink that reads it, or a source that fills it, is. The last one is the truth. */
export function edgeSubject(stream: string, edge: string): string {
  return `millrace.${stream}.edge.${edge}`
}

/** Where that one tells how it is. */
export function edgeStatusSubject(stream: string, edge: string): string {
  return `millrace.${stream}.edge.${edge}.status`
}

/** Stream that keeps the dead letters of all streams. */
export const DEAD_LETTER_STREAM = 'DEAD_LETTERS'
export const DEAD_LETTER_SUBJECTS = 'millrace.dead.>'

/** Stream that keeps what the server says about messages which it gave up on. */
export const ADVISORY_STREAM = 'MILLRACE_ADVISORIES'
const ADVISORIES = ['MAX_DELIVERIES', 'MSG_TERMINATED'].map((kind) => `$JS.EVENT.ADVISORY.CONSUMER.${kind}`)
export const ADVISORY_SUBJECTS: readonly string[] = ADVISORIES.map((kind) => `${kind}.>`)

/** Where the server says so of one consumer: that it was delivered too often, or that a client has terminated it. */
export function advisorySubjects(stream: string, consumer: string): readonly string[] {
  return ADVISORIES.map((kind) => `${kind}.${stream}.${consumer}`)
}

/**
 * Where a dead letter of one message is: by processor (`contract` when no processor is to blame), and by what tells it
 * from others of the two.
 */
export function deadLetterSubject(stream: string, sequence: number, processor: string, which = ''): string {
  return `millrace.dead.${stream}.${sequence}.${processor}${which === '' ? '' : `.${which}`}`
}
