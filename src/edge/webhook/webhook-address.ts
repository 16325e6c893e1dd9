// Where a webhook may go to. Whoever may name a URL must not reach through it what only this machine can: so each address
// that a name has is looked at, and the connection is made to one of exactly those, whatever the name says a moment later.
// Sources: the IANA registries of special-purpose addresses (RFC 6890 and its updates); Standard Webhooks, "SSRF".
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { fault, messageOf } from '../../error/millrace-error.js'

export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

/** Every address of a name. */
export type Resolve = (name: string) => Promise<readonly Address[]>

export const systemResolve: Resolve = async (name) =>
  (await lookup(name, { all: true, verbatim: true })).map(({ address, family }) => ({
    address,
    family: family === 6 ? 6 : 4,
  }))

const NOT_PUBLIC: readonly (readonly [net: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]
/** Within what is public at all, 2000::/3: Teredo and others of the IETF, documentation, 6to4 with any address in it. */
const NOT_PUBLIC_6: readonly (readonly [net: string, bits: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const private4 = new BlockList()
for (const [net, bits] of NOT_PUBLIC) private4.addSubnet(net, bits, 'ipv4')
const private6 = new BlockList()
for (const [net, bits] of NOT_PUBLIC_6) private6.addSubnet(net, bits, 'ipv6')
const public6 = new BlockList()
public6.addSubnet('2000::', 3, 'ipv6')
const mapped = new BlockList()
mapped.addSubnet('::ffff:0:0', 96, 'ipv6')

/** Whether anybody may be meant by it: not this machine, no private network, no group. */
export function isPublic({ address, family }: Address): boolean {
  if (family === 4) return !private4.check(address, 'ipv4')
  // an IPv4 address in the clothes of IPv6 is looked at as what it is
  if (mapped.check(address, 'ipv6')) return !private4.check(address, 'ipv6')
  return public6.check(address, 'ipv6') && !private6.check(address, 'ipv6')
}

/** Addresses and networks, `10.1.0.0/16` or `::1`, as something to look up. @throws WEBHOOK_INVALID */
export function readAllowed(name: string, allowed: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of allowed) {
    const [net = '', bits] = text.split('/')
    const family = isIP(net)
    const most = family === 4 ? 32 : 128
    const length = bits === undefined ? most : Number(bits)
    if (family === 0 || !/^\d{1,3}$/.test(bits ?? '0') || length > most)
      throw fault('WEBHOOK_INVALID', `${name}: allow: ${JSON.stringify(text)} is no address or network`)
    list.addSubnet(net, length, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

/**
 * The addresses of a URL, when all of them may be gone to: one that may not is reason enough to go to none.
 * @throws WEBHOOK_ADDRESS_REFUSED, WEBHOOK_UNREACHABLE
 */
export async function addressesOf(url: URL, allowed: BlockList, resolve: Resolve): Promise<readonly Address[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const literal = isIP(host)
  const all: readonly Address[] =
    literal === 0 ? await resolved(host, resolve) : [{ address: host, family: literal === 6 ? 6 : 4 }]
  const refused = all.find((one) => !isPublic(one) && !allowed.check(one.address, one.family === 6 ? 'ipv6' : 'ipv4'))
  if (refused === undefined) return all
  throw fault('WEBHOOK_ADDRESS_REFUSED', literal === 0 ? `${host} is ${refused.address}` : host)
}

async function resolved(host: string, resolve: Resolve): Promise<readonly Address[]> {
  let all: readonly Address[]
  try {
    all = await resolve(host)
  } catch (cause) {
    throw fault('WEBHOOK_UNREACHABLE', messageOf(cause), { cause })
  }
  if (all.length === 0) throw fault('WEBHOOK_UNREACHABLE', `${host} has no address`)
  return all
}
