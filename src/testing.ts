// The door of the test kit: `millrace/testing`.

export { testPipeline, testRule, type TestOptions } from './testing/test-pipeline.js'
export type { PipelineTest, TestTime } from './testing/pipeline-test.js'
export type { MarbleTest } from './testing/check-marbles.js'
export type { TestDeadLetter, TestOutput } from './testing/test-output.js'
