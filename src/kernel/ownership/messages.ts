import { z } from 'zod'
import { fault } from '../../error/millrace-error.js'

// What members say to each other, as JSON. Fields that a later version adds are let through.

/**
 * That a member lives, and how. `waking`: it was stopped for a while and takes nothing yet; `leaving`: it takes nothing
 * any more and gives back what it has; `gone`: it has given back everything, or its connection has ended. `answers`:
 * whoever asks for it is answered while its connection lives.
 */
const beat = z.object({ state: z.enum(['waking', 'running', 'leaving', 'gone']), answers: z.boolean().optional() })
export type Beat = z.infer<typeof beat>
export type MemberState = Beat['state']

/** What a member can run, by processor, and what it will not run again, by the code of the error that ended it. */
const offer = z.object({
  units: z.record(z.string(), z.array(z.string())),
  refused: z.record(z.string(), z.string()),
})
export type Offer = z.infer<typeof offer>

/** Who holds a unit; null: it was given back. */
const holding = z.object({ owner: z.string().nullable() })
export type HoldingMessage = z.infer<typeof holding>

/** Whether a processor is meant to stand still, and why. */
const pause = z.object({ paused: z.boolean(), reason: z.string().optional() })
export type PauseMessage = z.infer<typeof pause>

export const MESSAGES = { member: beat, offer, unit: holding, paused: pause } as const

export function encodeMessage(message: Beat | Offer | HoldingMessage | PauseMessage): Uint8Array {
  return Buffer.from(JSON.stringify(message))
}

/** Undefined for what is no such message: something that another program wrote. */
export function decodeMessage<S extends z.ZodType>(schema: S, data: Uint8Array): z.infer<S> | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(data).toString())
  } catch {
    return undefined // the reader treats what cannot be read as not said
  }
  return schema.safeParse(value).data
}

/** @throws OWNERSHIP_NAME_INVALID a name that cannot be a part of a subject */
export function requireName(what: string, name: string): void {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(name)) throw fault('OWNERSHIP_NAME_INVALID', `${what} ${JSON.stringify(name)}`)
}
