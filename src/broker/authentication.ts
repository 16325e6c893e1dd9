import { fault } from '../error/millrace-error.js'
import type { Authentication } from './connection-settings.js'
import type { Given, SettingName, Source } from './connection-sources.js'

const PROOFS = ['user', 'token', 'creds', 'nkey', 'jwt'] as const satisfies readonly SettingName[]

/**
 * How to prove who we are. The first source that names a way decides; a password or seed may come from another one, so
 * that a user can be a flag and its password stay in the environment, unless it belongs to another user there.
 * A user without a password is a token, as for the nats tool.
 * @param sources highest precedence first
 * @throws SETTING_INVALID when one source says two different things, or when half of a proof is missing
 */
export function authentication(sources: readonly Source[]): Authentication {
  const source = sources.find((candidate) => proofsIn(candidate).length > 0)
  const password = sources.find(
    (candidate) => candidate.password && (candidate.user?.value ?? source?.user?.value) === source?.user?.value,
  )?.password
  if (source === undefined) {
    if (password !== undefined) throw fault('SETTING_INVALID', `${password.from} needs a user`)
    return { kind: 'none' }
  }
  const proofs = proofsIn(source)
  if (proofs.length > 1)
    throw fault('SETTING_INVALID', `${proofs.map(({ from }) => from).join(' and ')} exclude each other: set one`)
  const { user, token, creds, nkey, jwt } = source
  if (user !== undefined)
    return password === undefined
      ? { kind: 'token', token: user.value }
      : { kind: 'user', user: user.value, password: password.value }
  if (token !== undefined) return { kind: 'token', token: token.value }
  if (creds !== undefined) return { kind: 'creds', file: creds.value }
  if (nkey !== undefined) return { kind: 'nkey', file: nkey.value }
  const seed = sources.find((candidate) => candidate.seed)?.seed
  if (jwt === undefined || seed === undefined)
    throw fault('SETTING_INVALID', `${jwt?.from ?? 'a user JWT'} needs a seed`)
  return { kind: 'jwt', jwt: jwt.value, seed: seed.value }
}

function proofsIn(source: Source): Given[] {
  return PROOFS.map((name) => source[name]).filter((proof): proof is Given => proof !== undefined)
}
