// The model that the demo's jobs ask: a stand-in on this machine, which is no model, unless the real one is asked for by name.
import { modelAnswers, type ModelAnswer } from '../src/testing/model-server/model-answer.ts'
import { startModelServer, type ModelServer } from '../src/testing/model-server/model-server.ts'
import type { ModelCall } from '../src/testing/model-server/model-call.ts'
import type { ModelRequest } from '../src/testing/model-server/model-request.ts'
import { answerTo, questionOf } from './triage-answers.ts'

/** Settings that lead to a model: without them nobody is called by accident, and nobody pays. */
const SETTINGS = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL', 'MILLRACE_MODEL_URL']

export class DemoModel {
  readonly #server: ModelServer | undefined
  readonly #env: NodeJS.ProcessEnv
  /** The question that is refused until somebody mends what is wrong with it. */
  #refused: string | undefined
  #mended = false

  /**
   * @param real whether the provider is asked, and paid
   * @throws Error the provider is to be asked, and there is no key
   */
  static async start(real: boolean, env: NodeJS.ProcessEnv): Promise<DemoModel> {
    if (real) {
      if (env['ANTHROPIC_API_KEY'] === undefined) throw new Error('--model asks the real model: set ANTHROPIC_API_KEY')
      return new DemoModel(undefined, env)
    }
    // what is answered depends on the demo, which is made with it
    let answer = (_request: ModelRequest): ModelAnswer | undefined => undefined
    const server = await startModelServer({ answers: (request) => answer(request) })
    const without = Object.entries(env).filter(([name]) => !SETTINGS.includes(name))
    const model = new DemoModel(server, { ...Object.fromEntries(without), MILLRACE_MODEL_URL: server.url })
    answer = (request) => model.#answer(request)
    return model
  }

  private constructor(server: ModelServer | undefined, env: NodeJS.ProcessEnv) {
    this.#server = server
    this.#env = env
  }

  /** Of the process that asks it. */
  get env(): NodeJS.ProcessEnv {
    return this.#env
  }

  get name(): string {
    return this.#server === undefined ? 'the real model' : 'a stand-in on this machine: no model was asked'
  }

  /** What the stand-in was asked, and what it billed; undefined: it is none. */
  get calls(): readonly ModelCall[] | undefined {
    return this.#server?.calls
  }

  /** Takes what it has refused from now on. */
  mend(): void {
    this.#mended = true
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
  }

  /** The first question of all is refused, however often it is asked. */
  #answer(request: ModelRequest): ModelAnswer {
    const question = questionOf(request)
    this.#refused ??= question
    if (question === this.#refused && !this.#mended)
      return modelAnswers.error('invalid_request_error', {
        message: 'the stand-in refuses this one until it is redriven',
      })
    return answerTo(request)
  }
}
