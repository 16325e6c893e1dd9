import { fault } from '../../error/millrace-error.js'
import { letterCondition } from '../../delivery/letters/letter-scope.js'
import type { Clock } from '../../time/clock.js'
import { pastTime } from '../past-time.js'
import type { DeadLetterQuery } from './find-dead-letters.js'

/** Options that choose dead letters. */
export interface LetterFlags {
  readonly stream?: string
  readonly processor?: string
  readonly code?: string
  readonly since?: string
  readonly until?: string
  readonly where?: string
}

/** @throws USAGE */
export function queryOf(flags: LetterFlags, clock: Clock): DeadLetterQuery {
  for (const token of [flags.stream, flags.processor])
    if (token !== undefined && !/^[A-Za-z0-9_-]+$/.test(token))
      throw fault('USAGE', `${JSON.stringify(token)} is no name of a stream or processor`)
  const { stream, processor, code, since, until, where } = flags
  return {
    ...(stream === undefined ? {} : { stream }),
    ...(processor === undefined ? {} : { processor }),
    ...(code === undefined ? {} : { code }),
    ...(since === undefined ? {} : { since: pastTime('--since', since, clock) }),
    ...(until === undefined ? {} : { until: pastTime('--until', until, clock) }),
    ...(where === undefined ? {} : { where: letterCondition(where) }),
  }
}

/** Whether anything chooses among them. */
export function isChosen({ stream, processor, code, since, until, where }: LetterFlags): boolean {
  return [stream, processor, code, since, until, where].some((flag) => flag !== undefined)
}
