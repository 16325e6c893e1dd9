import { readFile } from 'node:fs/promises'
import { connectBroker, type Connection } from '../broker/connection.js'
import { connectionSettings, type ConnectionSettings } from '../broker/connection-settings.js'
import { fault, messageOf } from '../error/millrace-error.js'
import type { GlobalOptions } from './context.js'
import { devServer } from './server-file.js'

const DEFAULT_SERVER = 'nats://127.0.0.1:4222'

/**
 * Connects to the server that flags, the environment or a context name; else to the embedded server of a `millrace dev`
 * in this folder; else to the usual address on this machine.
 * @throws SETTING_INVALID, CONTEXT_NOT_FOUND, CONTEXT_INVALID and what connecting throws
 */
export async function connectCli(
  options: GlobalOptions,
  env: NodeJS.ProcessEnv,
  folder: string,
  command: string,
): Promise<Connection> {
  return connectBroker(await settingsFor(options, env, folder, command))
}

/** Whether a server is named by flag, environment or context. */
export async function namedSettings(
  options: GlobalOptions,
  env: NodeJS.ProcessEnv,
  name: string,
): Promise<ConnectionSettings | undefined> {
  const password = options.passwordFile === undefined ? undefined : await readPassword(options.passwordFile)
  const flags = password === undefined ? options : { ...options, password }
  return connectionSettings({ env, flags, name })
}

async function settingsFor(
  options: GlobalOptions,
  env: NodeJS.ProcessEnv,
  folder: string,
  command: string,
): Promise<ConnectionSettings> {
  const name = `millrace ${command}`
  const named = await namedSettings(options, env, name)
  if (named !== undefined) return named
  const dev = await devServer(folder)
  const server = dev?.url ?? DEFAULT_SERVER
  const found = await connectionSettings({ env, flags: { ...options, server }, name })
  if (found === undefined) throw fault('INTERNAL', 'settings with a server have no server')
  return { ...found, origin: dev === undefined ? 'the usual address, none was named' : '.millrace/server.json' }
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trimEnd()
  } catch (error) {
    throw fault('SETTING_INVALID', `--password-file: ${messageOf(error)}`, { cause: error })
  }
}
