import { fault } from '../error/millrace-error.js'
import type { Given } from './connection-sources.js'

/** Addresses, and what was written into them besides. */
export interface ServerAddresses {
  /** `host:port`, without credentials, so that they can be shown. */
  readonly servers: readonly string[]
  readonly tls: boolean
  readonly user: Given | undefined
  readonly password: Given | undefined
}

const SCHEMES = new Set(['nats:', 'tls:'])

/**
 * Reads comma-separated server addresses: `nats://host:4222`, `tls://user:secret@host`, `host`, `[::1]:4222`.
 * @throws SETTING_INVALID when one cannot be read, or when they name different users
 */
export function parseAddresses({ value, from }: Given): ServerAddresses {
  const urls = value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseAddress(part, from))
  const [first] = urls
  if (first === undefined) throw fault('SETTING_INVALID', `${from} has no address`)
  if (urls.some(({ username, password }) => username !== first.username || password !== first.password))
    throw fault('SETTING_INVALID', `${from} has several addresses with different credentials`)
  const inside = (part: string): Given | undefined =>
    part === '' ? undefined : { from: `${from} (in the address)`, value: decoded(part, from) }
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || '4222'}`),
    tls: urls.some(({ protocol }) => protocol === 'tls:'),
    user: inside(first.username),
    password: inside(first.password),
  }
}

function parseAddress(text: string, from: string): URL {
  const shown = text.replace(/\/\/[^@/]*@/, '//***@')
  let url: URL
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `nats://${text}`)
  } catch (error) {
    throw fault('SETTING_INVALID', `${from}: ${shown} is not an address such as nats://host:4222`, { cause: error })
  }
  if (!SCHEMES.has(url.protocol)) throw fault('SETTING_INVALID', `${from}: ${shown} must begin with nats:// or tls://`)
  if (url.hostname === '' || (url.pathname !== '' && url.pathname !== '/'))
    throw fault('SETTING_INVALID', `${from}: ${shown} is not an address such as nats://host:4222`)
  return url
}

function decoded(part: string, from: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    throw fault('SETTING_INVALID', `${from}: a % in the credentials must be written as %25`, { cause: error })
  }
}
