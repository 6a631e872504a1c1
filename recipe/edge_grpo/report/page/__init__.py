"""One self-contained HTML page of one or several runs: figures as SVG, and a browser of groups.

panel_table.py      what each panel shows
bundles.py          seeds of one recipe, their mean and band; smoothing; colours
figure.py           one figure: its style, as PNG and as SVG
stacks.py           draws parts of a whole
drawing.py          draws the panels of metrics
rollouts.py         reads the dumped rollouts of some steps: groups of responses
rollout_figures.py  draws what rollouts show: entropy against correctness, ratios
injected_text.py    tells what error correction put into a response
group_browser.py    the data of the browser of groups, within a budget of bytes
overview.py         what ran, and in which settings the runs differ
build.py            puts the page together, with page.html, page.css and page.js

A new panel: a row in `PAGE_PANELS`. What a model wrote is never trusted: Jinja2 escapes all that is put into the page,
and the browser of groups makes text nodes of it.
"""
