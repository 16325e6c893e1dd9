import { readFileSync } from 'node:fs'
import { Command, Help, Option } from 'commander'
import { COMMANDS } from './commands.js'
import { examples } from './examples.js'
import { wantsColor, type Sink } from './output.js'

/** Global options that the help of every command lists; `millrace --help` has all of them. */
const OFTEN: ReadonlySet<string> = new Set(['server', 'context', 'streams', 'json'])

type Screen = Pick<Sink, 'isTTY' | 'columns' | 'write'>

/** The command line without its commands: global options, help, and errors that are thrown instead of printed. */
export function createProgram(
  { env, stdout, stderr }: { readonly env: NodeJS.ProcessEnv; readonly stdout: Screen; readonly stderr: Screen },
  mayColor: boolean,
): Command {
  const color = { out: wantsColor(stdout, env, mayColor), err: wantsColor(stderr, env, mayColor) }
  const width = ({ isTTY, columns }: Screen): number => (isTTY === true && columns) || 80
  const program = new Command('millrace')
  program
    .description('An actor and reactive-streams runtime on NATS JetStream.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help')
    .usage('COMMAND [options]     millrace COMMAND --help')
    .exitOverride()
    .configureOutput({
      outputError: () => undefined,
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => width(stdout),
      getErrHelpWidth: () => width(stderr),
      getOutHasColors: () => color.out,
      getErrHasColors: () => color.err,
    })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (text) => (color.out ? `\u001b[1m${text}\u001b[22m` : text),
      formatHelp: (command, helper) => {
        // the help of the whole lists its commands first, below the examples
        if (command === program) helper.visibleCommands = () => []
        return Help.prototype.formatHelp.call(helper, command, helper)
      },
      visibleGlobalOptions: (command) =>
        command === program ? [] : program.options.filter((option) => OFTEN.has(option.attributeName())),
    })
  examples(program, [
    ['millrace dev', 'a server, streams/ applied, everything running'],
    ['millrace publish --file events.ndjson', 'publish recorded events'],
    ['millrace status', 'how far everything is'],
    ['millrace rules check', 'mistakes in rules, with line and column'],
    ['millrace replay --stream PAYMENTS --from-seq 1', 'read the log again'],
  ])
  const longest = Math.max(...COMMANDS.map(({ name }) => name.length))
  const commands = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(longest)}  ${summary}`)
  program.addHelpText('before', `Commands:\n${commands.join('\n')}\n`)
  addGlobalOptions(program, env)
  return program
}

function addGlobalOptions(program: Command, env: NodeJS.ProcessEnv): void {
  const option = (flags: string, description: string): void =>
    void program.addOption(new Option(flags, description).helpGroup('Global options:'))
  program.addOption(
    new Option('-s, --server <urls>', 'NATS server; also MILLRACE_NATS_URL, NATS_URL').helpGroup(CONNECT),
  )
  const connect = (flags: string, description: string): void =>
    void program.addOption(new Option(flags, description).helpGroup(CONNECT))
  connect('--context <name>', 'NATS context to use; also NATS_CONTEXT')
  connect('--no-context', 'leave the selected NATS context out')
  connect('--user <name>', 'user; password from NATS_PASSWORD, --password-file or a context')
  connect('--password-file <file>', 'file that holds the password')
  connect('--creds <file>', 'credentials file; also NATS_CREDS')
  connect('--nkey <file>', 'nkey seed file; also NATS_NKEY')
  connect('--tlscert <file>', 'client certificate; also NATS_CERT')
  connect('--tlskey <file>', 'its key; also NATS_KEY')
  connect('--tlsca <file>', 'certificate authority; also NATS_CA')
  connect('--tlsfirst', 'TLS before the NATS protocol begins')
  connect('--timeout <duration>', 'for each request; also NATS_TIMEOUT (default: 5s)')
  connect('--inbox-prefix <subject>', 'prefix of reply subjects')
  connect('--js-domain <name>', 'JetStream domain')
  program.addOption(
    new Option('--streams <folder>', 'folder with the declarations; also MILLRACE_STREAMS')
      .default(env['MILLRACE_STREAMS'] || './streams', './streams')
      .helpGroup('Global options:'),
  )
  option('--json', 'results as JSON on stdout, errors as JSON on stderr')
  option('--no-color', 'no colour; also NO_COLOR')
  option('--verbose', 'debug notes and stack traces; also MILLRACE_DEBUG=1')
}

const CONNECT = 'Connection:'

/** Stands for the commands that are not loaded: for the help and for suggestions on typos. */
export function addStubs(program: Command, except: string | undefined): void {
  for (const { name, summary } of COMMANDS) if (name !== except) program.command(name).description(summary)
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
