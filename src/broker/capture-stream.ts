import type { StreamDeclaration } from './define-stream.js'

export interface CaptureOptions {
  /** Of the source. */
  readonly name: string
  readonly subjects: readonly string[]
  /** In ms. */
  readonly keep: number
  /** The stream that the source fills. */
  readonly stream: StreamDeclaration
}

const DUPLICATE_WINDOW = 120_000

/** The stream in which the server captures what is published to subjects of others, as it comes, for a source to read. */
export function captureStream({ name, subjects, keep, stream }: CaptureOptions): StreamDeclaration {
  return Object.freeze<StreamDeclaration>({
    kind: 'stream',
    name: `${stream.name}_CAPTURE_${name}`,
    root: `${stream.root}-capture-${name}`,
    description: `What is published to ${subjects.join(', ')}, for the source ${name} of ${stream.name}`,
    partitions: 1,
    replicas: stream.replicas,
    storage: stream.storage,
    maxAge: keep,
    maxBytes: -1,
    duplicateWindow: Math.min(DUPLICATE_WINDOW, keep),
    captures: Object.freeze([...subjects]),
  })
}

/** Whether a stream captures what others publish. */
export function isCapture(stream: StreamDeclaration): boolean {
  return stream.captures !== undefined
}
