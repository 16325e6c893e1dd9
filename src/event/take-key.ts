import { fault, messageOf } from '../error/millrace-error.js'
import type { EventContract } from './contract.js'

/** The key of data: a schema may take what the key cannot be read from. @throws EVENT_DATA_INVALID */
export function takeKey({ type, keyOf }: Pick<EventContract, 'type' | 'keyOf'>, data: unknown): string | undefined {
  try {
    return keyOf(data)
  } catch (cause) {
    const detail = `its key cannot be taken from the data: ${messageOf(cause)}`
    throw fault('EVENT_DATA_INVALID', `${type}: ${detail}`, { cause, issues: [{ pointer: '', detail }] })
  }
}
