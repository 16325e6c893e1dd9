import { z } from 'zod'

// What is told of a job while it is done. It is told once, kept for minutes, and nothing depends on it: what counts is on
// the log of the job. Times in ms since the Unix epoch.

const at = z.number()
const attempt = z.number().int().min(1)

const progress = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job.started'), at, attempt, model: z.string() }),
  /** A piece of the answer; `from`: how many characters were told of it before. */
  z.object({ type: z.literal('job.text'), at, attempt, from: z.number(), text: z.string() }),
  /** How long the answer is so far, in estimated tokens, and how long it may become. */
  z.object({ type: z.literal('job.progress'), at, attempt, tokens: z.number(), most: z.number() }),
  /** The attempt has failed, or its answer was not what the schema says; there is another one. */
  z.object({ type: z.literal('job.again'), at, attempt, reason: z.string() }),
  z.object({ type: z.literal('job.completed'), at, attempt, decision: z.unknown() }),
  z.object({ type: z.literal('job.failed'), at, attempt, reason: z.string() }),
])

export type ProgressEvent = z.output<typeof progress>

/** @returns undefined: it is none of this version */
export function readProgressEvent(data: Uint8Array): ProgressEvent | undefined {
  try {
    return progress.safeParse(JSON.parse(new TextDecoder().decode(data))).data
  } catch {
    return undefined // no JSON: foreign
  }
}
