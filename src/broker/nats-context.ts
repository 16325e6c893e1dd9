import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { fault } from '../error/millrace-error.js'

const text = z.string().nullish()

/** The fields of a context that are used here. Others of ADR-21 and of the nats tool are let through unread. */
const CONTEXT = z.looseObject({
  url: text,
  user: text,
  password: text,
  token: text,
  creds: text,
  nkey: text,
  user_jwt: text,
  user_seed: text,
  cert: text,
  key: text,
  ca: text,
  tls_first: z.boolean().nullish(),
  inbox_prefix: text,
  jetstream_domain: text,
  jetstream_api_prefix: text,
  nsc: text,
  socks_proxy: text,
  windows_cert_store: text,
})

/** A NATS context as its file has it. */
export type NatsContext = z.infer<typeof CONTEXT>

/** What connects in a way that this client cannot; better refused than left out in silence. */
const UNSUPPORTED = ['nsc', 'socks_proxy', 'jetstream_api_prefix', 'windows_cert_store'] as const

/**
 * The name of the context that `nats context select` chose, or `undefined` when none is selected.
 * Contexts are files in `$XDG_CONFIG_HOME/nats` or `~/.config/nats`, as the NATS project's ADR-21 says.
 */
export async function selectedContext(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const name = await readFile(join(directory(env), 'context.txt'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return ''
    throw fault('CONTEXT_INVALID', `the selected context cannot be read: ${error.message}`, { cause: error })
  })
  return name.trim() === '' ? undefined : name.trim()
}

/**
 * Reads a context by name, or by the absolute path of its file. Nothing is ever written.
 * @throws CONTEXT_NOT_FOUND, CONTEXT_INVALID
 */
export async function readContext(name: string, env: NodeJS.ProcessEnv): Promise<NatsContext> {
  const file = fileOf(name, env)
  const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw fault('CONTEXT_NOT_FOUND', `${name}: there is no ${file}`, { cause: error })
    throw fault('CONTEXT_INVALID', `${name}: ${error.message}`, { cause: error })
  })
  const parsed = CONTEXT.safeParse(parseJson(name, file, content))
  if (!parsed.success)
    throw fault('CONTEXT_INVALID', `${name}: ${file}`, {
      issues: parsed.error.issues.map(({ path, message }) => ({
        detail: message,
        pointer: `/${path.join('/')}`,
        file,
      })),
    })
  for (const field of UNSUPPORTED)
    if (parsed.data[field]) throw fault('CONTEXT_INVALID', `${name}: ${field} is not supported by Millrace`)
  return parsed.data
}

function directory(env: NodeJS.ProcessEnv): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir()
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'nats')
}

function fileOf(name: string, env: NodeJS.ProcessEnv): string {
  if (isAbsolute(name)) return name
  if (name === '' || name.includes('..') || /[/\\]/.test(name))
    throw fault('CONTEXT_NOT_FOUND', `${JSON.stringify(name)} cannot be the name of a context`)
  return join(directory(env), 'context', `${name}.json`)
}

function parseJson(name: string, file: string, content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (error) {
    throw fault('CONTEXT_INVALID', `${name}: ${file} is not JSON`, { cause: error })
  }
}
