import type { StreamDeclaration } from '../broker/define-stream.js'

// A context with actors has a stream of commands beside its own: what is asked for is kept for a while, what was decided
// for as long as the context says. Both spread keys over the same partitions, so that one owner has an aggregate’s commands
// and its records.

/** How long commands are kept, in ms: long enough for owners that are away over a holiday. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1_000

/** Name of the stream that has the commands for the aggregates of a stream. */
export function commandStreamName(stream: string): string {
  return `${stream}_COMMANDS`
}

/** Name of the context’s stream that a stream has the commands for; undefined when it is none of commands. */
export function contextOfCommands(stream: string): string | undefined {
  return /^(.+)_COMMANDS$/.exec(stream)?.[1]
}

/** The stream that has the commands for the aggregates of a context’s stream. */
export function commandStream(stream: StreamDeclaration): StreamDeclaration {
  return Object.freeze({
    ...stream,
    name: commandStreamName(stream.name),
    root: `${stream.root}-commands`,
    description: `Commands for the aggregates of ${stream.name}, in the order in which they are decided`,
    maxAge: KEPT_MS,
    maxBytes: -1,
  })
}
