// Nanoseconds that js-lnurl takes to decode each LNURL given as an argument, one line each: the
// median of as many samples as the last argument says. The first line is its version.
const { decodelnurl } = require("js-lnurl/lib/helpers/decodelnurl");
const { version } = require("js-lnurl/package.json");

const DECODES_PER_SAMPLE = 500;

function sample(lnurl) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < DECODES_PER_SAMPLE; i++) decodelnurl(lnurl);
  return Number(process.hrtime.bigint() - start) / DECODES_PER_SAMPLE;
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

const lnurls = process.argv.slice(2, -1);
const samples = Number(process.argv.at(-1));
console.log(version);
for (const lnurl of lnurls) {
  for (let i = 0; i < samples; i++) sample(lnurl); // Until it is compiled.
  console.log(median(Array.from({ length: samples }, () => sample(lnurl))));
}
