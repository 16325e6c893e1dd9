/** What sinks and sources are that are no handlers. */
export type EdgeKind = 'postgres-sink' | 'file-sink' | 'file-source' | 'subject-source' | 'http-source'

/** How one is in the process that runs it. */
export interface EdgeStatus {
  /** `sink-archive`, `source-sensors`. */
  readonly edge: string
  readonly kind: EdgeKind
  /** The stream that it reads or fills. */
  readonly stream: string
  readonly state: 'starting' | 'working' | 'standby' | 'stalled'
  /** Why it stands still, since when in ms since the Unix epoch. */
  readonly stall: { readonly code: string; readonly detail: string; readonly since: number } | undefined
  /** How far it is: the sequence of a stream, or where in a file. */
  readonly position: number | string
  /** Events written, or stored, ever. */
  readonly done: number
  readonly letters: number
}

/** A sink or source at work in this process. */
export interface EdgeAtWork {
  readonly status: EdgeStatus
  /** Rejects with what ended it by itself. Resolves, if ever, after stop(). */
  readonly ended: Promise<void>
  /** Finishes what it is at. Never rejects. */
  stop(): Promise<void>
}

/** Name of a sink beside processors. */
export function sinkId(name: string): string {
  return `sink-${name}`
}

/** Name of a source beside processors. */
export function sourceId(name: string): string {
  return `source-${name}`
}
