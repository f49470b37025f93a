# Draws a timeline of gradmill_chaos. Needs: timeline and plot (files), faults, places and
# processes (names).
set datafile separator ','
set terminal svg size 1200,1000 dynamic font 'sans,11' background 'white'
set output plot
set lmargin 20
set rmargin 22
set key outside right top
set xlabel 'seconds'

index_of(name, names) = sum [i = 1:words(names)] (word(names, i) eq name ? i : 0)
is(kind) = strcol(1) eq kind
elsewhere = -1e6  # not drawn, but defined, so that a name without any entry is no error
stats timeline using (is('fault') || is('job') ? column(5) : NaN) nooutput
set xrange [0:STATS_max]

set multiplot
set size 1, 0.5
set origin 0, 0.5
set title 'faults, by where they strike'
set yrange [words(faults) + 0.6:0.4]
set ytics ()
do for [i = 1:words(faults)] { set ytics add (word(faults, i) i) }
row(name) = index_of(name, faults)
plot for [i = 1:words(places)] timeline \
  using (is('fault') && strcol(3) eq word(places, i) ? column(4) : elsewhere):(row(strcol(2))): \
        (column(5) - column(4)):(0) with vectors nohead lw 7 lc i title word(places, i)

set ytics auto
set size 1, 0.25
set origin 0, 0.25
set title 'rounds finished in a second'
set yrange [0:*]
set boxwidth 1
set style fill solid 0.6 noborder
plot timeline using (strcol(2) eq 'round_finished' ? floor(column(4)) + 0.5 : elsewhere):(1) \
  smooth frequency with boxes lc rgb '#4477aa' notitle

set origin 0, 0
set title 'resident memory, MiB'
plot for [i = 1:words(processes)] timeline \
  using (is('memory') && strcol(3) eq word(processes, i) ? column(4) : elsewhere):(column(6) / 1048576) \
  with points pt 7 ps 0.25 lc i title word(processes, i)
unset multiplot
