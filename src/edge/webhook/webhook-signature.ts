// Source: Standard Webhooks 1.0, symmetric signatures (`v1`).
import { createHmac } from 'node:crypto'
import { fault } from '../../error/millrace-error.js'

const PREFIX = 'whsec_'
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const [LEAST_BYTES, MOST_BYTES] = [24, 64]

/**
 * A secret as its bytes. What is wrong with it is said without a letter of it.
 * @param name of the setting that it is in
 * @throws WEBHOOK_SETTING_INVALID
 */
export function readSecret(name: string, text: string | undefined): Uint8Array {
  if (text === undefined || text.trim() === '') throw fault('WEBHOOK_SETTING_INVALID', `${name} is not set`)
  const encoded = text.trim()
  if (!encoded.startsWith(PREFIX)) throw fault('WEBHOOK_SETTING_INVALID', `${name} does not begin with ${PREFIX}`)
  const secret = encoded.slice(PREFIX.length)
  if (!BASE64.test(secret)) throw fault('WEBHOOK_SETTING_INVALID', `${name} is no base64 after ${PREFIX}`)
  const bytes = Buffer.from(secret, 'base64')
  if (bytes.length < LEAST_BYTES || bytes.length > MOST_BYTES)
    throw fault('WEBHOOK_SETTING_INVALID', `${name} has ${bytes.length} bytes, not ${LEAST_BYTES} to ${MOST_BYTES}`)
  return bytes
}

/**
 * The headers that a receiver verifies: a signature for each secret, so that one can be replaced by another while both
 * are known.
 * @param id the same in each attempt, without a full stop
 * @param now in ms since the Unix epoch, of this attempt
 */
export function signedHeaders(
  secrets: readonly Uint8Array[],
  { id, now, body }: { readonly id: string; readonly now: number; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1_000))
  const signatures = secrets.map((secret) => {
    const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
    return `v1,${signature}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
