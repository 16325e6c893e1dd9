// The real SDK where it is not there, or reaches nobody.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { anthropicClient } from '../../src/job/anthropic-client.ts'
import { definePrompt } from '../../src/job/define-prompt.ts'
import { renderPrompt } from '../../src/job/render-prompt.ts'
import { resultSchemaOf } from '../../src/job/result-schema.ts'
import { freePorts } from '../support/free-ports.ts'
import { TOP } from '../support/repository.ts'

const test = suite('the SDK of the provider')

test('where nobody answers, the address and what is wrong with it are told', async () => {
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const client = await anthropicClient({ apiKey: undefined, baseUrl: url })
  const prompt = renderPrompt(definePrompt({ id: 'triage', version: 1, user: 'Is it fraud?' }), {})
  const schema = resultSchemaOf('triage', z.object({ fraud: z.boolean() }))
  const ask = { model: 'claude-haiku-5-5', maxTokens: 100, schema, ...prompt }
  const error: unknown = await client.open(ask, AbortSignal.timeout(20_000), () => undefined).catch((thrown) => thrown)
  const { from, message } = client.factsOf(error)
  assert.is(from, 'connection')
  assert.match(message, url)
  assert.match(message, 'ECONNREFUSED')
})

test('without the SDK, what is to be installed is said', async () => {
  const script = `
    import Module from 'node:module'
    import { anthropicClient } from './src/job/anthropic-client.ts'
    const find = Module._resolveFilename
    Module._resolveFilename = (name, ...more) => {
      if (name.startsWith('@anthropic-ai/')) throw new Error('cannot find ' + name)
      return find(name, ...more)
    }
    await anthropicClient({ apiKey: 'key', baseUrl: undefined }).catch(({ code, cause }) => console.log(code, cause.message))`
  const args = ['--import', './src/runtime/load-typescript.js', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: TOP, timeout: 60_000 })
  assert.is(stdout.trim(), 'MODEL_SDK_MISSING cannot find @anthropic-ai/sdk')
})

test.run()
