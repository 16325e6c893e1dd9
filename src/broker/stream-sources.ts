// A stream’s sources as JetStream has them. Two things about them are easily got wrong (measured, nats-server 2.15):
// - A source is known by its stream, filters and destinations. One that differs in any of them is a new source, and the
//   server takes everything from the beginning again, unless told where to start.
// - What it was told is asked for again at every restart as long as nothing of the new source is stored. So it stays.
import type { StreamConfig, StreamInfo, StreamSource } from '@nats-io/jetstream'
import type { SourceDeclaration } from './define-stream.js'

/** One entry of `sources`. */
export interface SourceConfig {
  readonly name: string
  readonly subject_transforms: { src: string; dest: string }[]
  /** First sequence that it takes from the other stream. */
  readonly opt_start_seq?: number
}

/** Metadata of a stream that is filled from others: its number of partitions, which its subjects do not tell. */
export const PARTITIONS_NOTE = 'millrace.partitions'

/** Metadata: when an input was made. Sequences mean nothing in another stream of the same name. */
export function inputNote(input: string): string {
  return `millrace.input.${input}`
}

export function sourceConfig({ stream, transforms }: SourceDeclaration): SourceConfig {
  return { name: stream, subject_transforms: transforms.map(({ src, dest }) => ({ src, dest })) }
}

/** The sources that a stream has; where one starts is kept. */
export function deployedSources({ sources = [] }: Pick<StreamConfig, 'sources'>): SourceConfig[] {
  return sources.map(({ name, subject_transforms = [], opt_start_seq }: StreamSource) => ({
    name,
    subject_transforms: subject_transforms.map(({ src = '', dest }) => ({ src, dest })),
    ...(opt_start_seq === undefined || opt_start_seq === 0 ? {} : { opt_start_seq }),
  }))
}

/** Whether the server takes both for one source, wherever they start. */
export function sameSource(one: SourceConfig, other: SourceConfig): boolean {
  return one.name === other.name && JSON.stringify(one.subject_transforms) === JSON.stringify(other.subject_transforms)
}

export function sameSources(declared: readonly SourceConfig[], deployed: readonly SourceConfig[]): boolean {
  return (
    declared.length === deployed.length &&
    declared.every((source) => deployed.some((other) => sameSource(source, other)))
  )
}

/** How many messages of its inputs a stream has still to take; undefined when it has none. */
export function unmergedIn({ sources }: Pick<StreamInfo, 'sources'>): number | undefined {
  return sources === undefined || sources.length === 0 ? undefined : sources.reduce((sum, { lag }) => sum + lag, 0)
}

/**
 * Where a stream says that a message came from: the header `Nats-Stream-Source`, whose first two words are the other
 * stream and the sequence there. Undefined when the message was published to the stream itself.
 */
export function originOf(
  header: string | undefined,
): { readonly stream: string; readonly sequence: number } | undefined {
  const [stream, sequence] = header?.split(' ', 2) ?? []
  const number = Number(sequence)
  if (stream === undefined || stream === '' || !Number.isSafeInteger(number) || number < 1) return undefined
  return { stream: stream.split(':', 1)[0] ?? stream, sequence: number }
}

export const SOURCE_HEADER = 'Nats-Stream-Source'
