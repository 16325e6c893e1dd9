import { parseDuration } from '../../time/duration.js'

/** Flags, description and default of the option, for commander. */
export const STUCK_AFTER = [
  '--stuck-after <duration>',
  'end the process when one turn takes that long; or `never`',
  '30s',
] as const

/** @param text a span such as 30s, or `never` @returns in ms; undefined: never @throws DURATION_INVALID */
export function stuckAfterOf(text: string): number | undefined {
  return text === 'never' ? undefined : parseDuration(text)
}
