import { fault } from '../../error/millrace-error.js'
import { parseDuration } from '../../time/duration.js'
import { positive, type Duration } from './operator-options.js'

export interface JoinOptions<T, L extends T, R extends T> {
  readonly left: (value: T) => value is L
  readonly right: (value: T) => value is R
  /** What they must have in common. Default: nothing beside the key of the pipeline. */
  readonly by?: (value: L | R) => string
  /** How far apart in event time they may be: less than this, whichever comes first. */
  readonly within?: Duration
  /** In place of `within`: how much earlier than the left one the right one may come. Default 0. */
  readonly before?: Duration
  /** In place of `within`: how much later. */
  readonly after?: Duration
}

export function joinShape<T, L extends T, R extends T>({
  left,
  right,
  by,
  within,
  before,
  after,
}: JoinOptions<T, L, R>) {
  const earlier = before ?? within ?? 0
  const later = after ?? within
  if (later === undefined) throw fault('PIPELINE_INVALID', 'join: within or after is missing')
  return { left, right, by: by ?? (() => ''), before: parseDuration(earlier), after: positive('after', later) }
}
