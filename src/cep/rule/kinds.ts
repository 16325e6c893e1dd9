import { AGGREGATE } from './read-aggregate.js'
import { CORRELATE } from './read-correlate.js'
import { DETECT } from './read-detect.js'
import { EVERY, PATTERN } from './read-pattern.js'
import { SEQUENCE } from './read-sequence.js'
import type { KindReader } from './rule-kind.js'

/** By the field that names it: how each kind of rule is read. */
export const KINDS: ReadonlyMap<string, KindReader> = new Map([
  ['sequence', SEQUENCE],
  ['pattern', PATTERN],
  ['every', EVERY],
  ['correlate', CORRELATE],
  ['aggregate', AGGREGATE],
  ['detect', DETECT],
])
