#!/usr/bin/env node
/** The command `seqlik`, described in docs/cli.md. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBuild } from './build.ts';
import { unknownOption } from './errors.ts';
import { reportError, watchSignals } from './exit.ts';
import { addFit } from './fit.ts';
import { addForecast } from './forecast.ts';
import { addImpute } from './impute.ts';
import { addInspect } from './inspect.ts';
import { addSample } from './sample.ts';
import { addScore } from './score.ts';
import { addServe } from './serve.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const program = new Command('seqlik')
  .description(
    'Likelihoods of the rows of a table: fit a model, score data with it, inspect it, sample from it, serve it.',
  )
  .version(version)
  .configureOutput({ outputError: () => {} })
  .exitOverride();
for (const add of [addFit, addScore, addInspect, addSample, addImpute, addForecast, addServe, addBuild]) add(program);

watchSignals();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError(withGuess(error));
}

/** An error about an unknown option, with the option of that command that was most likely meant. */
function withGuess(error: unknown): unknown {
  if (!(error instanceof CommanderError) || error.code !== 'commander.unknownOption') return error;
  const [, given = ''] = /'(.*?)'/.exec(error.message) ?? [];
  const command = program.commands.find((command) => process.argv.includes(command.name())) ?? program;
  return unknownOption(
    given,
    command.options.flatMap(({ long }) => long ?? []),
  );
}
