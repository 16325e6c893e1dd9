import type { GlobalOptions } from '../context.js'
import type { ReplayFlags } from './replay-flags.js'

export interface Resume {
  readonly flags: ReplayFlags
  readonly options: Pick<GlobalOptions, 'server' | 'context' | 'streams'>
  readonly stream: string
  /** First sequence that was not delivered. */
  readonly next: number
  /** Messages that were handed over: counted against --limit. */
  readonly taken: number
}

const USUAL_FOLDER = './streams'

/** The command that goes on with the rest of a replay, ready to be pasted into a shell. */
export function resumeLine({ flags, options, stream, next, taken }: Resume): string {
  const { toSeq, type, limit, speed, speedBy, pipeline, rule, toSubject, out } = flags
  const words = ['millrace', 'replay', '--stream', stream, '--from-seq', String(next)]
  const add = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) words.push(name, quote(String(value)))
  }
  add('--to-seq', toSeq)
  add('--type', type?.join(','))
  add('--limit', limit === undefined ? undefined : Math.max(1, limit - taken))
  if (flags.follow === true) words.push('--follow')
  if (speed !== 'max') add('--speed', speed)
  if (speed !== 'max' && speedBy !== 'stored') add('--speed-by', speedBy)
  add('--pipeline', pipeline)
  add('--rule', rule)
  if (flags.compare === true) words.push('--compare')
  add('--to-subject', toSubject)
  add('--out', out)
  if (out !== undefined) words.push('--append')
  add('--server', withoutSecret(options.server))
  add('--context', typeof options.context === 'string' ? options.context : undefined)
  if (options.streams !== USUAL_FOLDER) add('--streams', options.streams)
  return words.join(' ')
}

/** Credentials in an address are not repeated on a terminal: then the address is left for the user to add. */
function withoutSecret(server: string | undefined): string | undefined {
  return server?.includes('@') === true ? undefined : server
}

function quote(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
