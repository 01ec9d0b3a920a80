# How many times faster than the best rival, where the contract asks for more.
set terminal svg size 900,1300 font "sans,11" background "white"
set output picture
set datafile separator "\t"
set title "rumpfs beside its best rival, Linux ".kernel.", ".clock
set xlabel "times faster (right of 1: rumpfs is ahead)"
set yrange [*:*] reverse
set logscale x 2
set xtics (0.25, 0.5, 1, 2, 4, 8, 16, 32)
set grid x
set arrow from 1, graph 0 to 1, graph 1 nohead lw 2 lc rgb "#888888"
set key below
set offsets 0, 0, 1, 1
plot data using 4:0:ytic(strcol(2).", ".strcol(3)." : ".strcol(6)) with points pt 7 \
	ps 0.8 lc rgb "#1f5fa8" title "measured", \
	data using 5:0 with points pt 9 ps 0.7 lc rgb "#c05020" title "asked"
