"""What models write, and how a person would read it aloud: ``written | spoken``, by language."""

# ruff: noqa: E501

from __future__ import annotations

ENGLISH = """
Baker St. | Baker Street.
St. Mary's | Saint Mary's
She lives at 221B Baker St. London | She lives at two two one B Baker Street. London
4 Maple Dr. | four Maple Drive.
Dr. Maple | Doctor Maple
Elm Ave. | Elm Avenue.
Sunset Blvd. | Sunset Boulevard.
apt. 4B | apartment four B
zip code 90210 | zip code nine zero two one zero
Springfield, IL 62704 | Springfield, IL six two seven zero four
1600 Pennsylvania Ave. | sixteen hundred Pennsylvania Avenue.
1204 Oak Ln. | twelve oh four Oak Lane.
Call 911 now | Call nine one one now
dial 112 | dial one one two
card ending in 0042 | card ending in zero zero four two
ending in 4242 | ending in four two four two
IBAN DE89 3704 0044 0532 0130 00 | IBAN D E eight nine, three seven zero four, zero zero four four, zero five three two, zero one three zero, zero zero
DE89370400440532013000 | D E eight nine, three seven zero four, zero zero four four, zero five three two, zero one three zero, zero zero
tracking number 1Z999AA10123456784 | tracking number one Z nine nine, nine A A one, zero one two three, four five six seven, eight four
confirmation code X7K9Q2 | confirmation code X seven K nine Q two
code ABC123 | code A B C one two three
flight LH 441 | flight L H four four one
flight BA2490 | flight B A two four nine zero
UA 15 | UA fifteen
Mon-Fri 9-5 | Monday to Friday nine to five
Mon–Fri 9am–5pm | Monday to Friday nine A M to five P M
Sat 10-4 | Saturday ten to four
open Mon to Fri | open Monday to Friday
No. 5 | Number five
Henry VIII | Henry the eighth
King Charles III | King Charles the third
Louis XIV | Louis the fourteenth
I am here | I am here
vitamin C | vitamin C
World War II | World War two
Chapter IV | Chapter four
Elizabeth II's | Elizabeth the second's
Pope John Paul II | Pope John Paul the second
version 3.11.2 | version three point eleven point two
Python 3.11 | Python three point eleven
v2.1 | version two point one
5 km/h | five kilometers per hour
20°C | twenty degrees Celsius
20 °C | twenty degrees Celsius
68°F | sixty-eight degrees Fahrenheit
3 kg | three kilograms
5′11″ | five foot eleven
½ cup | one half cup
1½ hours | one and a half hours
2 1/2 cups | two and a half cups
3/4 cup | three quarters of a cup
3/4 | three quarters
-5°C | minus five degrees Celsius
$1,234.50 | one thousand two hundred thirty-four dollars and fifty cents
5 € | five euros
£3m | three million pounds
£3.50 | three pounds and fifty pence
$2.5M | two point five million dollars
$1.2B | one point two billion dollars
$100k | one hundred thousand dollars
15% | fifteen percent
3.5% | three point five percent
0.5% | zero point five percent
555-0123 | five five five, zero one two three
(555) 123-4567 | five five five, one two three, four five six seven
+49 30 1234567 | plus four nine, three zero, one two three, four five six seven
1-800-555-0199 | one, eight zero zero, five five five, zero one nine nine
2026-12-01 | December first, twenty twenty-six
12/1/2026 | December first, twenty twenty-six
12/01/2026 | December first, twenty twenty-six
14:30 | fourteen thirty
9:05 pm | nine oh five P M
9:05 p.m. | nine oh five P M.
9pm | nine P M
12:00 | twelve o’clock
00:15 | zero fifteen
in 1999 | in nineteen ninety-nine
1999 people | one thousand nine hundred ninety-nine people
2026 | two thousand twenty-six
1st | first
22nd | twenty-second
101st | one hundred first
2-3 days | two to three days
10–15 min | ten to fifteen minutes
5-10% | five to ten percent
$5-$10 | five to ten dollars
anna@example.com | anna at example dot com
www.example.com | example dot com
https://example.com/a | example dot com slash a
e.g., this | for example, this
i.e. this | that is this
red vs. blue | red versus blue
approx. 5 | approximately five
Mr. Fox | Mister Fox
Mrs. Fox | Missus Fox
Prof. Fox | Professor Fox
AT&T | A T and T
R&D | R and D
Q&A | Q and A
C++ | C plus plus
C# | C sharp
2 + 2 = 4 | two plus two equals four
5 x 3 | five times three
10 / 2 | ten divided by two
6 × 7 | six times seven
#5 | number five
@anna | at anna
1/3 | one third
room 204 | room two oh four
Room 1204 | Room twelve oh four
Chapter 12 | Chapter twelve
2-1 | two to one
won 3-1 | won three to one
ext. 204 | extension two zero four
555-123-4567 x204 | five five five, one two three, four five six seven x two zero four
1,000,000 | one million
12,345,678 | twelve million three hundred forty-five thousand six hundred seventy-eight
1000000 | one million
-7 | minus seven
minus 7 | minus seven
3rd floor | third floor
10:30-11:45 | ten thirty to eleven forty-five
10am-2pm | ten A M to two P M
9-5 | nine to five
8 a.m. to 6 p.m. | eight A M to six P M.
10K | ten K
16GB RAM | sixteen gigabytes RAM
120 V | one hundred twenty volts
60 mph | sixty miles per hour
70 lbs | seventy pounds
30 min | thirty minutes
2 hrs | two hours
8 oz | eight ounces
Jan 5 | January fifth
Jan. 5, 2027 | January fifth, twenty twenty-seven
5 Jan 2027 | the fifth of January twenty twenty-seven
Dec. 1st | December first
1980s | nineteen eighties
Q3 2026 | Q three twenty twenty-six
A4 | A four
B12 | B twelve
vitamin B12 | vitamin B twelve
M25 | M twenty-five
Route 66 | Route sixty-six
Gate B12 | Gate B twelve
seat 14C | seat fourteen C
Bldg. 7 | Building seven
PO Box 1234 | PO Box one thousand two hundred thirty-four
Suite 300 | Suite three hundred
Ste. 300 | Suite three hundred
order 83910 | order eight three nine one zero
order number 48213 | order number four eight two one three
PIN 0042 | PIN zero zero four two
1-on-1 | one on one
3D | three D
50/50 | fifty fifty
w/o | without
a.k.a. | also known as
Ltd. | Ltd.
U.S. | U.S.
USA | USA
U.K. | U.K.
PhD | PhD
Jr. | Jr.
Smith & Sons | Smith and Sons
10 < 20 | ten less than twenty
5 > 3 | five more than three
≤ 5 | at most five
±2 | plus or minus two
≈ 3 | about three
30% off | thirty percent off
€5 | five euros
¥500 | five hundred yen
20 CHF | twenty francs
5 USD | five dollars
1.5 hrs | one point five hours
1 hr | one hour
0 | zero
007 | zero zero seven
1.0 | one point zero
3,5 | three point five
1.234,50 | one thousand two hundred thirty-four point five zero
٣ | ٣
² | ²
¼ | one quarter
§ 5 | section five
Fri. at 3 | Fri. at three
Wed 3 pm | Wednesday three P M
10 o'clock | ten o'clock
20s | twenties
mid-1990s | mid nineteen nineties
pp. 3-5 | pages three to five
Fig. 3 | figure three
St. Louis | Saint Louis
Mt. Everest | Mount Everest
Ft. Worth | Fort Worth
12th St. | twelfth Street.
5th & Main | fifth and Main
N. Main St. | N. Main Street.
123 N Main St | one twenty-three N Main Street
SW 3rd Ave | SW third Ave
CA 94110 | CA nine four one one zero
SW1A 1AA | S W one A one A A
MH370 | M H three seven zero
ISBN 978-3-16-148410-0 | ISBN nine seven eight, three, one six, one four eight four one zero, zero
UTF-8 | U T F dash eight
COVID-19 | COVID nineteen
H2O | H two O
MP3 | M P three
4G | four G
5G | five G
4K | four K
F1 | F one
3M | three M
9/11 | nine eleven
100m | one hundred meters
2m | two meters
5 mg | five milligrams
500mg | five hundred milligrams
2.5 ml | two point five milliliters
10 m² | ten square meters
12 V | twelve volts
5W | five watts
10:30Z | ten thirty Z
2026-12-01T14:30 | December first, twenty twenty-six, fourteen thirty
SSN 123-45-6789 | SSN one two three, four five, six seven eight nine
123-45-6789 | one two three, four five, six seven eight nine
4111 1111 1111 1111 | four one one one, one one one one, one one one one, one one one one
4111-1111-1111-1111 | four one one one, one one one one, one one one one, one one one one
sort code 12-34-56 | sort code one two, three four, five six
VAT DE123456789 | VAT D E one two, three four five six, seven eight nine
US$20 | twenty dollars
$0.05 | five cents
$1.00 | one dollar
1 € | one euro
€1,50 | one euro and fifty cents
-$5 | minus five dollars
($5) | (five dollars)
5c | five cents
99¢ | ninety-nine cents
50p | fifty pence
20 p.m | twenty P M
Well, I think Henry, I am here. | Well, I think Henry, I am here.
In case 2000 people come | In case two thousand people come
Part I like most | Part I like most
order 12 pizzas | order twelve pizzas
I ordered 1500 units. | I ordered one thousand five hundred units.
The part I like | The part I like
He sat 3 hours | He sat three hours
In the sun 5 minutes | In the sun five minutes
Your balance is $1,234.50 as of 12/1/2026. | Your balance is one thousand two hundred thirty-four dollars and fifty cents as of December first, twenty twenty-six.
I have 3 kids, ages 2-5 | I have three kids, ages two to five
Call us at 555-0123 or 911. | Call us at five five five, zero one two three or nine one one.
Your room is 204, sir. | Your room is two hundred four, sir.
We met in 2020 and 2021. | We met in twenty twenty and twenty twenty-one.
On May 3 at 9:30 we open. | On May third at nine thirty we open.
The IBAN is DE89 3704 0044 0532 0130 00. Is that right? | The IBAN is D E eight nine, three seven zero four, zero zero four four, zero five three two, zero one three zero, zero zero. Is that right?
My address is 42 Elm St, Apt. 3, Springfield, IL 62704. | My address is forty-two Elm Street, Apartment three, Springfield, IL six two seven zero four.
It is 72°F and sunny. | It is seventy-two degrees Fahrenheit and sunny.
Version 2 is out. | Version two is out.
Python 3 is fine. | Python three is fine.
I live on 5th Ave., near 42nd St. | I live on fifth Avenue., near forty-second Street.
Dr. Smith lives on Smith Dr. | Doctor Smith lives on Smith Drive.
No. 5 is next. | Number five is next.
No. I said no. | No. I said no.
Is it No. 5? | Is it Number five?
He won 6-4, 7-5. | He won six to four, seven to five.
A 20-30% discount | A twenty to thirty percent discount
Flight UA 15 departs at 6:05 a.m. from gate B12. | Flight U A one five departs at six oh five A M from gate B twelve.
Flights 12 and 14 | Flights twelve and fourteen
J.P. Morgan | J.P. Morgan
e.g. Mon-Wed | for example Monday to Wednesday
size 7.5 | size seven point five
Ratio 3:1 | Ratio three to one
10:1 | ten to one
Dial 1-800-555-0199 ext. 5 | Dial one, eight zero zero, five five five, zero one nine nine extension five
Chapter 11 bankruptcy | Chapter eleven bankruptcy
Louis I. Kahn | Louis I. Kahn
World War I was long | World War one was long
King George V ruled | King George the fifth ruled
George V | George the fifth
Meet at 9 a.m. tomorrow | Meet at nine A M tomorrow
It costs 5. | It costs five.
It costs 3. 5 are left. | It costs three. five are left.
Go to St. Mary's on St. John St. | Go to Saint Mary's on Saint John Street.
Main St. is closed | Main Street is closed
my e-mail is j.doe+test@mail.co.uk | my e-mail is j dot doe plus test at mail dot co dot U K
Press 1 for sales, 2 for support. | Press one for sales, two for support.
1. | one.
a) yes | a) yes
(1) | (one)
x=5 | x equals five
2*3 | two times three
#hashtag | hashtag
50¢ | fifty cents
£5m | five million pounds
Aug. 5 | August fifth
Sept. 3 | September third
May 5 | May fifth
Mar 5 | March fifth
Sat. and Sun. | Saturday and Sunday.
Tue & Thu | Tuesday and Thursday
Mon, Wed, Fri | Monday, Wednesday, Friday
Mon, Wed and Fri 9-12 | Monday, Wednesday and Friday nine to twelve
9 AM - 5 PM | nine A M - five P M
9am to 5pm | nine A M to five P M
from 9 to 5 | from nine to five
$5/month | five dollars per month
100km/h | one hundred kilometers per hour
order 2026 | order two zero two six
Order no. 12345 | Order number one two three four five
ticket INC-00123 | ticket I N C dash zero zero one two three
AB-12 | A B dash one two
A-1 | A dash one
1A2B3C | one A two B three C
0800 123 4567 | zero eight zero zero, one two three, four five six seven
020 7946 0958 | zero two zero, seven nine four six, zero nine five eight
+44 20 7946 0958 | plus four four, two zero, seven nine four six, zero nine five eight
(020) 7946 0958 | zero two zero, seven nine four six, zero nine five eight
12.5% | twelve point five percent
1,5% | one point five percent
¾ mile | three quarters mile
2¾ inches | two and three quarters inches
0.5 mg | zero point five milligrams
1/2 tablet | one half tablet
1 1/2 tablets | one and a half tablets
10/15 | October fifteenth
on 10/15 | on October fifteenth
10/15/26 | October fifteenth, twenty twenty-six
2/29 | February twenty-ninth
13:00 | thirteen hundred
24:00 | midnight
0:00 | midnight
7:30am | seven thirty A M
noon | noon
1,234 | one thousand two hundred thirty-four
3.14159 | three point one four one five nine
99.9 | ninety-nine point nine
1st & 2nd | first and second
"""

GERMAN = """
Hauptstr. 5 | Hauptstraße fünf
Goethestraße 12a | Goethestraße zwölf a
Bahnhofstr. | Bahnhofstraße.
10115 Berlin | zehntausendeinhundertfünfzehn Berlin
PLZ 10115 | PLZ eins null eins eins fünf
Notruf 112 | Notruf eins eins zwei
die 110 | die eins eins null
endet auf 0042 | endet auf null null vier zwei
mit den Endziffern 4242 | mit den Endziffern vier zwei vier zwei
IBAN DE89 3704 0044 0532 0130 00 | IBAN D E acht neun, drei sieben null vier, null null vier vier, null fünf drei zwei, null eins drei null, null null
Flug LH 441 | Flug L H vier vier eins
LH441 | L H vier vier eins
Mo-Fr 9-17 Uhr | Montag bis Freitag neun bis siebzehn Uhr
Mo.–Fr. 9–17 Uhr | Montag bis Freitag neun bis siebzehn Uhr
Sa 10-14 Uhr | Samstag zehn bis vierzehn Uhr
Heinrich VIII. | Heinrich der Achte.
Ludwig XIV. war | Ludwig der Vierzehnte war
Friedrich II. von | Friedrich der Zweite von
Version 3.11.2 | Version drei Punkt elf Punkt zwei
5 km/h | fünf Kilometer pro Stunde
20°C | zwanzig Grad Celsius
20 °C | zwanzig Grad Celsius
-5 °C | minus fünf Grad Celsius
3 kg | drei Kilogramm
1½ Stunden | eineinhalb Stunden
3/4 Liter | drei Viertel Liter
1.234,50 € | eintausendzweihundertvierunddreißig Euro fünfzig
5 € | fünf Euro
3 Mio. € | drei Millionen Euro
15 % | fünfzehn Prozent
3,5 % | drei Komma fünf Prozent
030 1234567 | null drei null, eins zwei drei, vier fünf sechs sieben
+49 30 1234567 | plus vier neun, drei null, eins zwei drei, vier fünf sechs sieben
0171/1234567 | null eins sieben eins, eins zwei drei, vier fünf sechs sieben
2026-12-01 | erster Dezember zweitausendsechsundzwanzig
1.12.2026 | erster Dezember zweitausendsechsundzwanzig
am 1.12. | am ersten Dezember.
01.12.2026 | erster Dezember zweitausendsechsundzwanzig
14:30 | vierzehn Uhr dreißig
14:30 Uhr | vierzehn Uhr dreißig
14.30 Uhr | vierzehn Uhr dreißig
9:05 Uhr | neun Uhr fünf
0:15 Uhr | null Uhr fünfzehn
im Jahr 1999 | im Jahr neunzehnhundertneunundneunzig
1999 | eintausendneunhundertneunundneunzig
1. Stock | erster Stock
im 3. Stock | im dritten Stock
der 2. | der zweite.
2-3 Tage | zwei bis drei Tage
10–15 Min. | zehn bis fünfzehn Minuten.
5-10 % | fünf bis zehn Prozent
anna@example.de | anna ät example Punkt D E
www.example.de | example Punkt D E
z. B. hier | zum Beispiel hier
z.B. hier | zum Beispiel hier
d. h. so | das heißt so
usw. | und so weiter
ca. 5 | circa fünf
Hr. Fuchs | Herr Fuchs
Fr. Fuchs | Frau Fuchs
Dr. Fuchs | Doktor Fuchs
Prof. Fuchs | Professor Fuchs
ADAC | ADAC
BMW | BMW
NATO | NATO
A&B | A und B
2 + 2 = 4 | zwei plus zwei gleich vier
Zimmer 204 | Zimmer zweihundertvier
Kapitel 12 | Kapitel zwölf
2:1 | zwei zu eins
gewann 3:1 | gewann drei zu eins
1.000.000 | eine Million
1000000 | eine Million
-7 | minus sieben
10:30-11:45 Uhr | zehn Uhr dreißig bis elf Uhr fünfundvierzig
8 bis 18 Uhr | acht bis achtzehn Uhr
30 Min. | dreißig Minuten.
2 Std. | zwei Stunden.
Jan. 2027 | Januar zweitausendsiebenundzwanzig
5. Januar 2027 | fünfter Januar zweitausendsiebenundzwanzig
die 90er | die neunziger
1980er | neunzehnhundertachtziger
Q3 2026 | Q drei zweitausendsechsundzwanzig
A4 | A vier
B12 | B zwölf
A 7 | A sieben
Platz 14C | Platz vierzehn C
Postfach 1234 | Postfach eins zwei drei vier
Bestellnummer 48213 | Bestellnummer vier acht zwei eins drei
PIN 0042 | PIN null null vier zwei
3D | drei D
50 Cent | fünfzig Cent
0,5 | null Komma fünf
3,14 | drei Komma eins vier
1.5 | eins Komma fünf
10 m² | zehn Quadratmeter
5 mg | fünf Milligramm
2,5 ml | zwei Komma fünf Milliliter
2,50 € | zwei Euro fünfzig
0,99 € | neunundneunzig Cent
1 € | ein Euro
1,00 € | ein Euro
20 CHF | zwanzig Franken
50 $ | fünfzig Dollar
§ 5 | Paragraf fünf
bzw. | beziehungsweise
evtl. | eventuell.
max. 5 | maximal fünf
mind. 3 | mindestens drei
inkl. MwSt. | inklusive Mehrwertsteuer.
zzgl. Versand | zuzüglich Versand
St. Pauli | Sankt Pauli
Tel. 030 1234567 | Telefon null drei null, eins zwei drei, vier fünf sechs sieben
u. a. | unter anderem.
o. Ä. | oder Ähnliches.
vgl. | vergleiche.
Abs. 2 | Absatz zwei
Art. 3 | Artikel drei
v. Chr. | vor Christus.
1 kg | ein Kilogramm
1 Std. | eine Stunde.
1 Tag | ein Tag
21 Uhr | einundzwanzig Uhr
1 Uhr | ein Uhr
um 1 | um eins
Paragraf 5 | Paragraf fünf
#5 | Nummer fünf
+5 % | plus fünf Prozent
±2 | plus minus zwei
100 km | einhundert Kilometer
1.500 m | eintausendfünfhundert Meter
3. | drei.
12. | zwölf.
am 12. und 13. Mai | am zwölften und dreizehnten Mai
vom 1.-3. Mai | vom ersten bis dritten Mai
Mo, 3. Mai | Montag, dritter Mai
Mittwoch, den 3. | Mittwoch, den dritten.
Ich habe 110 Gäste. | Ich habe einhundertzehn Gäste.
die 110 Gäste | die einhundertzehn Gäste
So 3 Tage | So drei Tage
Do it | Do it
Es kostet 12,99 €. | Es kostet zwölf Euro neunundneunzig.
12,99€ | zwölf Euro neunundneunzig
Am 3. um 10.30 Uhr. | Am dritten um zehn Uhr dreißig.
Im 2. OG | Im zweiten OG
Sie wohnt in der Bahnhofstr. 12, 10115 Berlin. | Sie wohnt in der Bahnhofstraße zwölf, eins null eins eins fünf Berlin.
Karl der Große | Karl der Große
Karl V. war | Karl der Fünfte war
Papst Johannes Paul II. sagte | Papst Johannes Paul der Zweite sagte
am 24.12. um 18 Uhr | am vierundzwanzigsten Dezember um achtzehn Uhr
24.12.2026 | vierundzwanzigster Dezember zweitausendsechsundzwanzig
Das ist die Nr. 1. | Das ist die Nummer eins.
1 Termin | ein Termin
1 Frage | eine Frage
Mo bis Fr | Montag bis Freitag
ab 18 Uhr | ab achtzehn Uhr
10-12 Uhr | zehn bis zwölf Uhr
Hausnummer 5b | Hausnummer fünf b
Kundennummer 12345 | Kundennummer eins zwei drei vier fünf
Ihre Bestellnummer lautet 83910. | Ihre Bestellnummer lautet acht drei neun eins null.
0800 1234567 | null acht null null, eins zwei drei, vier fünf sechs sieben
(030) 123456 | null drei null, eins zwei drei, vier fünf sechs
0176 12345678 | null eins sieben sechs, eins zwei drei, vier fünf sechs, sieben acht
Der Kurs liegt bei 1,0845. | Der Kurs liegt bei eins Komma null acht vier fünf.
-3,5 °C | minus drei Komma fünf Grad Celsius
1.234 | eintausendzweihundertvierunddreißig
12.345,67 EUR | zwölftausenddreihundertfünfundvierzig Euro siebenundsechzig
3,50 EUR | drei Euro fünfzig
50 ct | fünfzig Cent
10 % | zehn Prozent
Tel.: 030 1234 | Telefon: null drei null, eins zwei drei vier
Prof. Dr. Fuchs | Professor Doktor Fuchs
Hr. Dr. Fuchs | Herr Doktor Fuchs
usw. und so | und so weiter und so
100.000 Euro | einhunderttausend Euro
2,5 Mio. Euro | zwei Komma fünf Millionen Euro
5 min | fünf Minuten
90 Min. | neunzig Minuten.
1,5 Std. | eins Komma fünf Stunden.
Kap. 3 | Kapitel drei
§ 5 Abs. 2 | Paragraf fünf Absatz zwei
v2.1 | Version zwei Punkt eins
Windows 11 | Windows elf
USB-C | USB-C
PLZ: 10115 | PLZ: eins null eins eins fünf
RE 7 | RE sieben
U 8 | U acht
S-Bahn S1 | S-Bahn S eins
A8 | A acht
B2B | B zwei B
24h | vierundzwanzig Stunden
24 Std. | vierundzwanzig Stunden.
"""

FRENCH = """
12 bd. Voltaire | douze boulevard Voltaire
12, av. Foch | douze, avenue Foch
3 bis, rue de la Paix | trois bis, rue de la Paix
75001 Paris | sept cinq zéro zéro un Paris
code postal 75001 | code postal sept cinq zéro zéro un
le 15 | le quinze
le 112 | le un un deux
finissant par 0042 | finissant par zéro zéro quatre deux
se terminant par 4242 | se terminant par quatre deux quatre deux
IBAN FR76 3000 6000 0112 3456 7890 189 | IBAN F R sept six, trois zéro zéro zéro, six zéro zéro zéro, zéro un un deux, trois quatre cinq six, sept huit neuf zéro, un huit neuf
vol AF 441 | vol A F quatre quatre un
AF441 | A F quatre quatre un
lun-ven 9h-17h | lundi à vendredi neuf heures à dix-sept heures
du lundi au vendredi de 9h à 17h30 | du lundi au vendredi de neuf heures à dix-sept heures trente
n° 5 | numéro cinq
N° 5 | numéro cinq
Henri IV | Henri quatre
Louis XIV | Louis quatorze
Napoléon Ier | Napoléon premier
François Ier | François premier
version 3.11.2 | version trois point onze point deux
5 km/h | cinq kilomètres heure
20°C | vingt degrés Celsius
20 °C | vingt degrés Celsius
-5 °C | moins cinq degrés Celsius
3 kg | trois kilogrammes
1½ | un et demi
3/4 | trois quarts
1234,50 € | mille deux cent trente-quatre euros cinquante
5 € | cinq euros
15 % | quinze pour cent
3,5 % | trois virgule cinq pour cent
01 23 45 67 89 | zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf
+33 1 23 45 67 89 | plus trente-trois, un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf
2026-12-01 | premier décembre deux mille vingt-six
1/12/2026 | premier décembre deux mille vingt-six
01/12/2026 | premier décembre deux mille vingt-six
14:30 | quatorze heures trente
14h30 | quatorze heures trente
9h05 | neuf heures cinq
21h | vingt-et-une heures
1h | une heure
0h15 | zéro heure quinze
en 1999 | en mille neuf cent quatre-vingt-dix-neuf
1er étage | premier étage
2e étage | deuxième étage
3ème | troisième
XIXe siècle | dix-neuvième siècle
XXIe | vingt-et-unième
2-3 jours | deux à trois jours
10–15 min | dix à quinze minutes
5-10 % | cinq à dix pour cent
anna@exemple.fr | anna arobase exemple point F R
www.exemple.fr | exemple point F R
p. ex. ici | par exemple ici
p.ex. ici | par exemple ici
c.-à-d. ici | c'est-à-dire ici
env. 5 | environ cinq
M. Renard | Monsieur Renard
Mme Renard | Madame Renard
Mlle Renard | Mademoiselle Renard
Dr Renard | Docteur Renard
Pr Renard | Professeur Renard
SNCF | SNCF
OTAN | OTAN
TVA | TVA
A & B | A et B
2 + 2 = 4 | deux plus deux égale quatre
chambre 204 | chambre deux cent quatre
chapitre 12 | chapitre douze
2-1 | deux à un
1000000 | un million
-7 | moins sept
24h/24 | vingt-quatre heures sur vingt-quatre
7j/7 | sept jours sur sept
100 Mo | cent mégaoctets
2 h | deux heures
1 h | une heure
les années 90 | les années quatre-vingt-dix
A4 | A quatre
B12 | B douze
BP 123 | BP cent vingt-trois
commande 48213 | commande quatre huit deux un trois
PIN 0042 | PIN zéro zéro quatre deux
0,5 | zéro virgule cinq
3,14 | trois virgule un quatre
10 m² | dix mètres carrés
5 mg | cinq milligrammes
2,5 ml | deux virgule cinq millilitres
0,99 € | quatre-vingt-dix-neuf centimes
1 € | un euro
20 CHF | vingt francs
50 $ | cinquante dollars
tél. 01 23 45 67 89 | téléphone zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf
max. 5 | maximum cinq
21 jours | vingt-et-un jours
21 heures | vingt-et-une heures
1 fois | une fois
1 personne | une personne
80 € | quatre-vingts euros
71 | soixante-et-onze
99 | quatre-vingt-dix-neuf
200 € | deux cents euros
#5 | numéro cinq
±2 | plus ou moins deux
lun. 3 mai | lundi trois mai
le 1er mai 2026 | le premier mai deux mille vingt-six
M. Dupont habite 12, av. Foch, 75016 Paris. | Monsieur Dupont habite douze, avenue Foch, sept cinq zéro un six Paris.
Il est 9h. | Il est neuf heures.
à 9 h 30 | à neuf heures trente
9 h | neuf heures
le 24/12 | le vingt-quatre décembre
1er avril | premier avril
Louis XVI est mort | Louis seize est mort
au XXe siècle | au vingtième siècle
3,50 € | trois euros cinquante
12,99€ | douze euros quatre-vingt-dix-neuf
10 % | dix pour cent
2 fois par jour | deux fois par jour
1 comprimé | un comprimé
21 ans | vingt-et-un ans
1/2 comprimé | un demi comprimé
06 12 34 56 78 | zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit
2e | deuxième
2ème étage | deuxième étage
1ère fois | première fois
lun., mer. et ven. | lundi, mercredi et vendredi.
mar 3 mai | mardi trois mai
15 min | quinze minutes
1,5 h | un virgule cinq heures
-3 °C | moins trois degrés Celsius
100 km/h | cent kilomètres heure
réf. AB123 | réf. A B un deux trois
Mme et M. Petit | Madame et Monsieur Petit
TGV 6201 | TGV six mille deux cent un
80 % | quatre-vingts pour cent
"""

SPANISH = """
C/ Mayor, 5 | calle Mayor, cinco
Avda. de América 12 | avenida de América doce
Av. América | avenida América
Pza. Mayor | plaza Mayor
2º izq. | segundo izquierda.
28001 Madrid | dos ocho cero cero uno Madrid
código postal 28001 | código postal dos ocho cero cero uno
el 112 | el uno uno dos
terminada en 0042 | terminada en cero cero cuatro dos
que acaba en 4242 | que acaba en cuatro dos cuatro dos
IBAN ES91 2100 0418 4502 0005 1332 | IBAN E S nueve uno, dos uno cero cero, cero cuatro uno ocho, cuatro cinco cero dos, cero cero cero cinco, uno tres tres dos
vuelo IB 441 | vuelo I B cuatro cuatro uno
IB441 | I B cuatro cuatro uno
lun-vie 9-17 | lunes a viernes nueve a diecisiete
de lunes a viernes de 9:00 a 17:30 | de lunes a viernes de nueve a diecisiete treinta
n.º 5 | número cinco
N.º 5 | Número cinco
nº 5 | número cinco
Nº 5 | Número cinco
Enrique VIII | Enrique octavo
Felipe VI | Felipe sexto
Alfonso XIII | Alfonso trece
Juan Carlos I | Juan Carlos primero
Isabel II | Isabel segunda
versión 3.11.2 | versión tres punto once punto dos
5 km/h | cinco kilómetros por hora
20°C | veinte grados Celsius
20 °C | veinte grados Celsius
-5 °C | menos cinco grados Celsius
3 kg | tres kilos
1½ | uno y medio
3/4 | tres cuartos
1.234,50 € | mil doscientos treinta y cuatro euros con cincuenta
5 € | cinco euros
15 % | quince por ciento
3,5 % | tres coma cinco por ciento
91 123 45 67 | nueve uno, uno dos tres, cuatro cinco, seis siete
+34 91 123 45 67 | más tres cuatro, nueve uno, uno dos tres, cuatro cinco, seis siete
600 123 456 | seis cero cero, uno dos tres, cuatro cinco seis
2026-12-01 | uno de diciembre de dos mil veintiséis
1/12/2026 | uno de diciembre de dos mil veintiséis
01/12/2026 | uno de diciembre de dos mil veintiséis
14:30 | catorce treinta
14:30 h | catorce treinta horas
a las 9:05 | a las nueve cinco
21 h | veintiún horas
a la 1:00 | a la una
a las 10:00 | a las diez
0:15 | cero quince
en 1999 | en mil novecientos noventa y nueve
1.º | primero
2.ª | segunda
3er | tercer
1er piso | primer piso
siglo XIX | siglo diecinueve
siglo XXI | siglo veintiuno
2-3 días | dos a tres días
10–15 min | diez a quince minutos
5-10 % | cinco a diez por ciento
ana@ejemplo.es | ana arroba ejemplo punto E S
www.ejemplo.es | ejemplo punto E S
p. ej. aquí | por ejemplo aquí
p.ej. aquí | por ejemplo aquí
aprox. 5 | aproximadamente cinco
Sr. Zorro | señor Zorro
Sra. Zorro | señora Zorro
Dr. Zorro | doctor Zorro
Dra. Zorro | doctora Zorro
D. Juan | don Juan
Dña. Ana | doña Ana
RENFE | RENFE
OTAN | OTAN
IVA | IVA
DNI 12345678Z | DNI uno dos tres cuatro cinco seis siete ocho Z
A & B | A y B
2 + 2 = 4 | dos más dos igual a cuatro
habitación 204 | habitación doscientos cuatro
capítulo 12 | capítulo doce
2-1 | dos a uno
1.000.000 | un millón
1000000 | un millón
-7 | menos siete
24 h | veinticuatro horas
2 h | dos horas
1 h | una hora
los años 90 | los años noventa
A4 | A cuatro
B12 | B doce
pedido 48213 | pedido cuatro ocho dos uno tres
PIN 0042 | PIN cero cero cuatro dos
0,5 | cero coma cinco
3,14 | tres coma uno cuatro
10 m² | diez metros cuadrados
5 mg | cinco miligramos
2,5 ml | dos coma cinco mililitros
0,99 € | noventa y nueve céntimos
1 € | un euro
20 CHF | veinte francos suizos
50 $ | cincuenta dólares
tel. 91 123 45 67 | teléfono nueve uno, uno dos tres, cuatro cinco, seis siete
máx. 5 | máximo cinco
EE. UU. | Estados Unidos.
21 días | veintiún días
21 personas | veintiuna personas
1 persona | una persona
200 personas | doscientas personas
#5 | número cinco
±2 | más menos dos
2.000 m | dos mil metros
lun. 3 de mayo | lunes tres de mayo
3 de mayo de 2026 | tres de mayo de dos mil veintiséis
Ud. | usted
Vd. | usted.
Uds. | ustedes
El Sr. López vive en C/ Mayor, 5, 28001 Madrid. | El señor López vive en calle Mayor, cinco, dos ocho cero cero uno Madrid.
a las 9:30 h | a las nueve treinta horas
a las 21:00 | a las veintiuna
el 3/4 | el tres de abril
el 24/12 | el veinticuatro de diciembre
1 de enero | uno de enero
Carlos V fue | Carlos quinto fue
siglo V | siglo cinco
3,50 € | tres euros con cincuenta
12,99€ | doce euros con noventa y nueve
1.200 € | mil doscientos euros
10 % | diez por ciento
2 veces al día | dos veces al día
1 pastilla | una pastilla
21 años | veintiún años
900 123 456 | nueve cero cero, uno dos tres, cuatro cinco seis
612 345 678 | seis uno dos, tres cuatro cinco, seis siete ocho
612 34 56 78 | seis uno dos, tres cuatro, cinco seis, siete ocho
n.º 12 | número doce
2.º piso | segundo piso
1.ª vez | primera vez
lun. a vie. | lunes a viernes.
lun., mié. y vie. | lunes, miércoles y viernes.
sáb 9-12 | sábado nueve a doce
15 min | quince minutos
1,5 h | uno coma cinco horas
-3 °C | menos tres grados Celsius
100 km/h | cien kilómetros por hora
pág. 12 | página doce
Sres. Paz | señores Paz
200.000 € | doscientos mil euros
1 hora | una hora
31 días | treinta y un días
41 casas | cuarenta y una casas
100 personas | cien personas
500 libras | quinientas libras
"""
