import { outboxRoot } from '../broker/system-subject.js'
import { storedFilter } from '../event/subject.js'
import type { Processor } from '../kernel/processor.js'

/** Where outputs of a processor are stored. */
export interface OutputPlace {
  readonly stream: string
  readonly filters: readonly string[]
  /** An output may be here and in another place too. */
  readonly shared: boolean
}

/**
 * The places to look for the outputs of the given types, in the order in which to look: an event for another stream is
 * in the outbox before it is there, so that none is missed that is carried over meanwhile.
 */
export function outputPlaces({ to }: Pick<Processor, 'to'>, types: readonly string[]): OutputPlace[] {
  const others = (to.others ?? []).map((other) => ({
    ...other,
    types: other.types.filter((type) => types.includes(type)),
  }))
  const own = types.filter((type) => !others.some((other) => other.types.includes(type)))
  const place = (stream: string, root: string, some: readonly string[], shared: boolean): OutputPlace => ({
    stream,
    filters: some.map((type) => storedFilter(root, type)),
    shared,
  })
  return [
    place(to.stream.name, to.stream.root, own, false),
    ...others.map(({ stream, types: some }) =>
      place(to.stream.name, outboxRoot(to.stream.name, stream.name), some, true),
    ),
    ...others.map(({ stream, types: some }) => place(stream.name, stream.root, some, true)),
  ].filter(({ filters }) => filters.length > 0)
}
