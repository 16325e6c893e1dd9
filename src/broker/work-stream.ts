import type { StreamDeclaration } from './define-stream.js'

// A context with handlers has a stream of work beside its own: events that are to be handled once more, each until it is
// done. What was published stays in the context’s own stream, however it was handled.

const DUPLICATE_WINDOW = 120_000

/** Name of the stream that has the work of the handlers of a stream. */
export function workStreamName(stream: string): string {
  return `${stream}_WORK`
}

/** The stream that has the work of the handlers that read a stream. */
export function workStream(stream: StreamDeclaration): StreamDeclaration {
  const name = workStreamName(stream.name)
  return Object.freeze<StreamDeclaration>({
    kind: 'stream',
    name,
    root: `${stream.root}-work`,
    description: `Events of ${stream.name} that handlers have to handle later, each until it is done`,
    partitions: 1,
    replicas: stream.replicas,
    storage: stream.storage,
    maxAge: 0,
    maxBytes: -1,
    duplicateWindow: DUPLICATE_WINDOW,
    work: true,
  })
}

/** Whether a stream holds work. */
export function isWork(stream: StreamDeclaration): boolean {
  return stream.work === true
}

/**
 * Where something waits until it is due: a message schedule, of which a subject has one.
 * @param origin what it comes from: a sequence, with the place in a pack, or a name
 */
export function delayedSubject(work: string, handler: string, origin: string): string {
  return `millrace.${work}.delayed.${handler}.${origin}`
}

/** Where it is delivered from when it is due. */
export function dueSubject(work: string, handler: string, origin: string): string {
  return `millrace.${work}.due.${handler}.${origin}`
}

/** Everything that is due for a handler. */
export function dueFilter(work: string, handler: string): string {
  return `millrace.${work}.due.${handler}.>`
}

/** Where it is told that something has been begun which may end its process. */
export function markSubject(work: string, handler: string, origin: string): string {
  return `millrace.${work}.mark.${handler}.${origin}`
}
